// The entry of the form for assistants.

import { widget } from "../shared/mount";
import { Builder } from "./builder";
import "./builder.css";

export default widget(Builder, "builder");
