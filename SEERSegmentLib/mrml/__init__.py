"""MRML nodes in and out: the only room that imports ``slicer`` and ``vtk``, and one that no other room imports.

Everything here runs in the application's main thread. Masks never leave the volume's own voxel grid: where a node lies
under transforms, the grid's matrix is expressed in that node's frame instead, so that no voxel is resampled.
"""
