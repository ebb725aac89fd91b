"""What the chat widget knows and does; it needs no frontend. How it is shown lies in `widgets/src/chat`."""
