"""The panel's state machine, in plain Python: no Qt, no Slicer, no thread.

The panel shows a :class:`~.state.PanelState` and sends intents; the :class:`~.presenter.Presenter` replaces the state
as a whole and tells the panel. Whatever it needs of the world comes in through the protocols of :mod:`.seams`.

::

    idle ──run──► preparing ─────────────────► awaiting consent      preparing: ask what the parts send, where that is
                    │  ▲                         │ allow    │ deny   not known yet; copy the volume, a slab per tick
                    │  └─────────────────────────┘          ▼
                    ▼ order sent                         cancelled
                 reasoning ──abstained, blocked──► awaiting edit ──run, with answer, anyway──► preparing
                    │
                    ▼ Stage.SEGMENT
                 segmenting ──committed──► done ──undo──► idle

    any of preparing, reasoning, segmenting ──an error──► failed
    any of these, awaiting consent, awaiting edit ──cancel, volume or output removed──► cancelled
    anything ──the scene closes──► idle (the history stays)

The scene is touched in one place only, between segmenting and done: a run that fails or is cancelled leaves it as it
was. Checking the phrasing goes the same way and keeps the result that is shown. One attempt lives at a time; a report
for another one changes nothing. Intents that come while one lives are ignored with a line in the log, never queued.
Reviewing, comparing, testing a connection and listing the parts are jobs beside the phases; so is the preview of what
would be sent, which lives as long as the question that it belongs to.
"""
