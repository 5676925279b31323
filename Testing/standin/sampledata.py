# ruff: noqa: N802, N803 - the names are Slicer's
"""``SampleData``: where modules register their sample volumes; only registering and a custom downloader work."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

__all__ = ["make"]


class SampleDataSource:
    """One sample, with lists for its files as Slicer keeps them."""

    def __init__(
        self,
        sampleName: str | None = None,
        sampleDescription: str | None = None,
        uris: Any = None,
        fileNames: Any = None,
        nodeNames: Any = None,
        checksums: Any = None,
        loadFiles: Any = None,
        customDownloader: Callable[[Any], Any] | None = None,
        thumbnailFileName: str | None = None,
        loadFileTypes: Any = None,
        loadFileProperties: dict[str, Any] | None = None,
    ) -> None:
        self.sampleName = sampleName
        self.sampleDescription = sampleDescription or sampleName
        self.customDownloader = customDownloader
        self.thumbnailFileName = thumbnailFileName
        self.loadFileProperties = loadFileProperties or {}
        one = isinstance(uris, str)
        count = 1 if one else len(uris)
        self.uris = [uris] if one else list(uris)
        self.fileNames, self.nodeNames, self.checksums, self.loadFiles, self.loadFileTypes = (
            [value] if one else list(value or [None] * count)
            for value in (fileNames, nodeNames, checksums, loadFiles, loadFileTypes)
        )
        if len({len(self.uris), len(self.fileNames), len(self.nodeNames), len(self.checksums)}) != 1:
            raise ValueError("All fields of sample data source must have the same length")


class SampleDataLogic:
    """The registry; ``logMessage`` is called with what a download says."""

    rewrite_rules: dict[str, Callable[[str], str]] = {}  # noqa: RUF012 - one for the application

    def __init__(self, logMessage: Callable[[str], None] | None = None) -> None:
        self.logMessage = logMessage or (lambda text: None)

    @staticmethod
    def registerCustomSampleDataSource(
        category: str = "Custom",
        sampleName: str | None = None,
        uris: Any = None,
        fileNames: Any = None,
        nodeNames: Any = None,
        customDownloader: Any = None,
        thumbnailFileName: str | None = None,
        loadFileTypes: Any = None,
        loadFiles: Any = None,
        loadFileProperties: dict[str, Any] | None = None,
        checksums: Any = None,
    ) -> None:
        import slicer

        source = SampleDataSource(
            sampleName=sampleName,
            uris=uris,
            fileNames=fileNames,
            nodeNames=nodeNames,
            thumbnailFileName=thumbnailFileName,
            loadFileTypes=loadFileTypes,
            loadFiles=loadFiles,
            loadFileProperties=loadFileProperties,
            checksums=checksums,
            customDownloader=customDownloader,
        )
        slicer.modules.sampleDataSources.setdefault(category, []).append(source)

    @staticmethod
    def registerUrlRewriteRule(name: str, rewriteFunction: Callable[[str], str]) -> None:
        SampleDataLogic.rewrite_rules[name] = rewriteFunction

    @staticmethod
    def sampleDataSourcesByCategory(category: str | None = None) -> Any:
        import slicer

        sources = slicer.modules.sampleDataSources
        return sources if category is None else sources.get(category, [])

    def sourceForSampleName(self, sampleName: str) -> SampleDataSource | None:
        import slicer

        sources = (each for several in slicer.modules.sampleDataSources.values() for each in several)
        return next((source for source in sources if source.sampleName == sampleName), None)


def make(newer_than_5_10: bool) -> types.ModuleType:
    """The module; categories with a title of their own came after 5.10."""
    module = types.ModuleType("SampleData")
    logic: type = SampleDataLogic
    if newer_than_5_10:

        class WithCategories(SampleDataLogic):
            """With titles of categories."""

            titles: dict[str, str] = {}  # noqa: RUF012 - one for the application

            @staticmethod
            def registerCustomSampleDataCategory(category: str, title: str) -> None:
                WithCategories.titles[category] = title

        WithCategories.__name__ = "SampleDataLogic"
        logic = WithCategories
    module.SampleDataLogic = logic  # type: ignore[attr-defined]
    module.SampleDataSource = SampleDataSource  # type: ignore[attr-defined]
    return module
