"""The Python half of the widgets: what each knows and does. What they look like lies in `widgets/`, in TypeScript."""
