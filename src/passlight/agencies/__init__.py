"""Agency feeds: one folder a format, each turning a file into facts."""
