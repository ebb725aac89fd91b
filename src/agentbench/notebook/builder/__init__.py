"""What the form for assistants knows and does; it needs no frontend. How it is shown lies in `widgets/src/builder`."""
