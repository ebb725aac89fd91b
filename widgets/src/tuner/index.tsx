// The entry of the config tuner.

import { widget } from "../shared/mount";
import { Tuner } from "./tuner";
import "./tuner.css";

export default widget(Tuner, "tuner");
