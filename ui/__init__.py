"""The screens: show events, send wishes, decide nothing."""
