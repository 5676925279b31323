"""Segmentation backbones: what executes a TargetSpec on a volume. They are made by name through ``registry``."""
