"""The panel of the module: one class for each of its sections, and the few that join them to Qt and to the scene."""
