"""What people do, from the button to the screen: a real store, a real hub, a real browser."""
