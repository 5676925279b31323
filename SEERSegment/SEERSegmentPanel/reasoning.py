"""How the request was read: evidence, rationale and answer as cards; or why there is no answer, and what to ask."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from SEERSegmentLib.presenter.choices import EMBEDDED_REASONER
from SEERSegmentLib.presenter.state import Phase

from .widgets import Rows, button, card_layout, escaped, icon_line, later, text_label

__all__ = ["ReasoningSection"]

#: Lines of evidence that are shown before "Show all".
_FEW = 5

#: Characters of a reply as it came that are shown; a model that rambles must not fill the panel.
_LONGEST_RAW = 20_000
_RAW_HEIGHT = 160


class ReasoningSection:
    """Shows all that a reply says as inert text; only the answer, which the user may edit, can be run."""

    def __init__(self, panel):
        self._panel = panel
        self._ui = ui = panel.ui
        self._shown = self._state = None
        self._answer = ""
        self._all_evidence = self._shows_raw = False
        names = ("abstentionCard", "evidenceCard", "rationaleCard", "skillsCard", "findingsCard")
        self._rows = {name: Rows(card_layout(getattr(ui, name))) for name in names}
        self._contents = {}  # what each card is made for
        self._texts = {}  # and the label in it that grows
        ui.answerCard.setStyleSheet(panel.theme.card_style("answerCard", edge="answer"))
        ui.answerTitle.setStyleSheet(f"font-weight: bold; color: {panel.theme.ink['answer']};")
        ui.runAnswerButton.connect("clicked()", self.run_answer)
        ui.answerEdit.connect("textChanged()", self._update_button)

    def show(self, state):
        parts = (state.reasoning, state.abstention, state.skills, state.findings, state.blocked, state.streaming)
        if parts != self._shown:
            self._shown = parts
            self._state = state
            self._show_parts(state)
        self._show_answer(state)
        self._update_button()

    def answer(self):
        """The answer as it stands in the box."""
        return self._ui.answerEdit.toPlainText().strip()

    def run_answer(self):
        """Segment what the box says, without the reasoner."""
        if self.answer() and self._ui.runAnswerButton.isEnabled():
            self._panel.run_with_answer(self.answer())

    def _show_parts(self, state):
        ui = self._ui
        said = state.reasoning or state.abstention
        evidence = said.evidence if said else ()
        rationale = said.rationale if said else ()
        nothing = not (said or state.findings or state.skills)
        ui.reasoningSection.setVisible(not nothing)
        ui.reasoningHintLabel.setText(self._hint(state))
        ui.reasoningHintLabel.setVisible(bool(self._hint(state)))
        self._fill_abstention(state)
        self._fill_evidence([_observation(one, self._panel.theme) for one in evidence])
        self._fill("rationaleCard", _("Rationale"), [escaped(line) for line in rationale])
        used = set(state.reasoning.skills_used) if state.reasoning else set()
        self._fill("skillsCard", _("Skills"), [_skill(one, used, self._panel.theme) for one in state.skills])
        self._fill_findings(state.findings)

    def _changed(self, name, contents):
        """Whether a card has to be made anew; one that stays as it is keeps the user's selection, and costs nothing."""
        if self._contents.get(name) == contents:
            return False
        self._contents[name] = contents
        self._rows[name].clear()
        getattr(self._ui, name).setVisible(bool(contents))
        return bool(contents)

    def _fill_evidence(self, lines):
        few = lines if self._all_evidence or len(lines) <= _FEW + 1 else lines[:_FEW]
        more = len(lines) if len(lines) > _FEW + 1 else 0
        if self._fill("evidenceCard", _("Evidence"), few, more) and more:
            text = _("Show less") if self._all_evidence else _("Show all {count}").format(count=more)
            tip = _("All that was measured or seen in the image")
            switch = button(text, "moreEvidenceButton", tip, self._toggle_evidence)
            switch.setFlat(True)
            self._rows["evidenceCard"].add(switch)

    def _toggle_evidence(self):
        self._all_evidence = not self._all_evidence
        self._show_parts(self._state)

    def _hint(self, state):
        if state.streaming:
            return _("The model is writing; its answer can be run once it is whole.")
        said = state.reasoning or state.abstention
        if said is None or not said.reasoner:
            return ""
        first, _colon, second = said.reasoner.partition(": ")
        who = second or first
        if who == EMBEDDED_REASONER:
            sure = _("Read by the embedded tables, on this computer; the model was not asked, or had no answer.")
            return sure if second else _("Read by the embedded reasoner, on this computer.")
        return _read_by(who, dict(said.details))

    def _fill(self, name, title, lines, more=0):
        """Show a card's lines; whether it was made anew. One that grows while a reply is written only gets its text."""
        html = "".join(f'<p style="margin: 2px 0px 4px 0px;">{line}</p>' for line in lines)
        kind = (title, more, self._all_evidence) if html else ()
        if html and self._contents.get(name) == kind:
            if self._texts[name].text != html:
                self._texts[name].setText(html)
            return False
        if not self._changed(name, kind):
            return False
        rows, frame, theme = self._rows[name], getattr(self._ui, name), self._panel.theme
        edge = {"evidenceCard": "evidence", "rationaleCard": "rationale"}.get(name, "")
        frame.setStyleSheet(theme.card_style(name, edge=edge))
        rows.add(self._title(title, f"{name}Title", edge))
        self._texts[name] = rows.add(text_label(html, f"{name}Text", rich=True))
        return True

    def _title(self, text, name, edge=""):
        label = text_label(text, name)
        colour = f" color: {self._panel.theme.ink[edge]};" if edge else ""
        label.setStyleSheet(f"font-weight: bold;{colour}")
        return label

    def _fill_findings(self, findings):
        if not self._changed("findingsCard", findings):
            return
        rows, frame, theme = self._rows["findingsCard"], self._ui.findingsCard, self._panel.theme
        frame.setStyleSheet(theme.card_style("findingsCard"))
        rows.add(self._title(_("Checks"), "findingsCardTitle"))
        words = {"info": _("Note"), "warning": _("Please check"), "error": _("Problem")}
        for number, finding in enumerate(findings):
            severity = finding.severity.value
            about = f" ({finding.target})" if finding.target else ""
            advice = f" {finding.advice}" if finding.advice else ""
            stops = _(" This stops the run.") if finding.blocking else ""
            text = f"{words[severity]}{about}: {finding.message}{stops}{advice}"
            rows.add(icon_line(f"findingLabel{number}", severity, theme, text))

    def _fill_abstention(self, state):
        abstention = state.abstention
        shown = abstention and (abstention, state.blocked, state.executable_answer, self._shows_raw)
        if not self._changed("abstentionCard", shown):
            return
        rows, frame, theme = self._rows["abstentionCard"], self._ui.abstentionCard, self._panel.theme
        kind = "error" if state.blocked else "warning"
        frame.setStyleSheet(theme.card_style("abstentionCard", kind))
        title = _("Stopped before segmenting") if state.blocked else _("No answer: one thing is unclear")
        rows.add(icon_line("abstentionTitle", kind, theme, title, bold=True))
        rows.add(text_label(abstention.reason, "abstentionReason"))
        if abstention.question:
            question = text_label(abstention.question, "abstentionQuestion")
            question.setStyleSheet("font-weight: bold;")
            rows.add(question)
        for number, suggestion in enumerate(abstention.suggestions):
            tip = _("Run this request")
            rows.add(button(suggestion, f"suggestionButton{number}", tip, later(self._take, suggestion)))
        if state.blocked:
            tip = _("Segment {answer} although the check says no").format(answer=state.executable_answer)
            rows.add(button(_("Run anyway"), "runAnywayButton", tip, self._panel.run_anyway))
        if abstention.raw:
            self._add_raw(rows, abstention.raw)
        if state.phase is Phase.AWAITING_EDIT:
            self._panel.reveal(frame)

    def _add_raw(self, rows, raw):
        """The reply as it came, on demand: to be looked at, never read a second time."""
        text = _("Hide the reply") if self._shows_raw else _("Show the reply as it came")
        switch = button(text, "rawReplyButton", _("What the model wrote, word by word"), self._toggle_raw)
        switch.setFlat(True)
        rows.add(switch)
        if self._shows_raw:
            edit = qt.QPlainTextEdit()
            edit.setObjectName("rawReplyEdit")
            edit.setAccessibleName(_("The reply as it came"))
            edit.setReadOnly(True)
            edit.setPlainText(raw[:_LONGEST_RAW])
            edit.setFixedHeight(_RAW_HEIGHT)
            rows.add(edit)

    def _toggle_raw(self):
        self._shows_raw = not self._shows_raw
        self._fill_abstention(self._state)

    def _take(self, suggestion):
        self._panel.request.set_text(suggestion)
        self._panel.run()

    def _show_answer(self, state):
        ui = self._ui
        answer = state.executable_answer or (state.reasoning.answer if state.reasoning else "")
        ui.answerCard.setVisible(bool(answer) or state.abstention is not None)
        if answer != self._answer:
            self._answer = answer
            ui.answerEdit.setPlainText(answer)
        ui.answerEdit.setReadOnly(state.phase.busy)

    def _update_button(self):
        phase = self._panel.presenter.state.phase
        free = not phase.busy and phase is not Phase.AWAITING_CONSENT
        self._ui.runAnswerButton.setEnabled(free and bool(self.answer()))


def _read_by(reasoner, details):
    """Who read the request: the reasoner, with its model and where that is, as far as the reply says."""
    model, server = details.get("model", ""), details.get("server", "")
    if model and server:
        return _("Read by {reasoner}: the model {model} at {server}.").format(
            reasoner=reasoner, model=model, server=server
        )
    if model:
        return _("Read by {reasoner}, on this computer: the model {model}.").format(reasoner=reasoner, model=model)
    return _("Read by {reasoner}.").format(reasoner=reasoner)


def _observation(item, theme):
    source = f' <span style="color: {theme.muted};">· {escaped(item.source)}</span>' if item.source else ""
    return escaped(item.text) + source


def _skill(skill, used, theme):
    mark = _("used") if skill.id in used else _("retrieved")
    why = f' <span style="color: {theme.muted};">{escaped(skill.why_retrieved)}</span>' if skill.why_retrieved else ""
    return f"<b>{escaped(skill.tag)}</b> ({escaped(mark)}, {escaped(skill.id)}): {escaped(skill.content)}{why}"
