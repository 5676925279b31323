"""The stand-in against the recorded surface, both ways: nothing more, and what is missing says so."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("PySide6", reason="the panel's tests need the extra slicer-test")

from Testing.standin import ctkmodule, pythonqt, qtmodule
from Testing.standin.coverage import coverage
from Testing.standin.fonts import offscreen_application
from Testing.standin.surface import SignalRecord, normalised, surface

# Made by the application itself, or not without arguments.
MADE_OTHERWISE = {"QApplication", "QCoreApplication"}
_parents: list[Any] = []


@pytest.fixture(scope="module")
def qt() -> Any:
    offscreen_application()
    ctkmodule.install()
    return qtmodule.install()


def buildable() -> list[str]:
    """The recorded Qt and ctk classes that have a PySide6 class behind them."""
    found = []
    offscreen_application()
    for name in surface().class_names():
        if not name.startswith(("Q", "ctk")):
            continue
        try:
            pythonqt.proxy_class(name)
        except NotImplementedError:
            continue
        found.append(name)
    return found


def make(name: str, qt: Any) -> Any:
    cls = pythonqt.proxy_class(name)
    if name == "QFontMetrics":
        return cls(qt.QFont())
    if name == "QShortcut":
        # Python owns the parent: a shortcut goes when its widget goes.
        _parents.append(qt.QWidget())
        return cls(_parents[-1])
    return cls()


@pytest.mark.parametrize("name", buildable())
def test_a_proxy_shows_only_recorded_members(name: str, qt: Any) -> None:
    record = surface().record(name)
    cls = pythonqt.proxy_class(name)
    shown = {m for m in dir(cls) if not m.startswith("_")}
    if name not in MADE_OTHERWISE:
        shown |= {m for m in dir(make(name, qt)) if not m.startswith("_")}
    assert shown <= record.members
    # And look-up agrees with the list: members of PySide6 or Python that the record lacks are not found.
    target = cls if name in MADE_OTHERWISE else make(name, qt)
    for extra in set(dir(cls._native_class)) - record.members:
        if not extra.startswith("_") and not (extra.endswith("_") and extra[:-1] in record.members):
            assert not hasattr(target, extra), extra


@pytest.mark.parametrize("name", sorted(set(buildable()) - MADE_OTHERWISE))
def test_a_property_has_the_recorded_type_or_says_it_is_not_built(name: str, qt: Any) -> None:
    made, known = make(name, qt), coverage(name)
    for member, (kind, writable) in surface().record(name).properties.items():
        if member in known.not_built:
            with pytest.raises(NotImplementedError, match="recorded in Slicer, not built in the stand-in"):
                getattr(made, member)
            continue
        value = getattr(made, member)
        assert {"EnumInt": "int"}.get(type(value).__name__, type(value).__name__) == kind, member
        if not writable:
            with pytest.raises(AttributeError, match="is not writable"):
                setattr(made, member, value)


@pytest.mark.parametrize("name", sorted(set(buildable()) - MADE_OTHERWISE))
def test_a_writable_property_takes_its_own_value(name: str, qt: Any) -> None:
    made, known = make(name, qt), coverage(name)
    for member, (kind, writable) in surface().record(name).properties.items():
        if not writable or member in known.not_built or kind == "NoneType":
            continue
        value = getattr(made, member)
        setattr(made, member, value)
        if kind in ("int", "bool", "str", "float"):
            assert getattr(made, member) == value, member
        with pytest.raises(AttributeError, match="does not accept"):
            setattr(made, member, {1: 2})


@pytest.mark.parametrize("name", sorted(set(buildable()) - MADE_OTHERWISE))
def test_a_method_or_signal_that_is_not_built_says_so_when_used(name: str, qt: Any) -> None:
    made, record = make(name, qt), surface().record(name)
    for member in coverage(name).not_built - set(record.properties):
        with pytest.raises(NotImplementedError, match="recorded in Slicer, not built in the stand-in"):
            made.connect(member, print) if "(" in member else getattr(made, member)()


@pytest.mark.parametrize("name", sorted(set(buildable()) - MADE_OTHERWISE))
def test_every_built_signal_connects_by_signature(name: str, qt: Any) -> None:
    made = make(name, qt)
    for signature in coverage(name).signals:
        assert made.connect(signature, lambda *_: None) is True
        assert made.disconnect(signature) is True


@pytest.mark.parametrize("name", buildable())
def test_enum_constants_have_qt_5_values(name: str, qt: Any) -> None:
    cls, record = pythonqt.proxy_class(name), surface().record(name)
    for constant, value in record.enums.items():
        assert int(getattr(cls, constant)) == value


def test_what_is_built_and_what_is_not(qt: Any, capsys: pytest.CaptureFixture[str]) -> None:
    built = missing = 0
    rows = []
    for name in buildable():
        known = coverage(name)
        built += known.built
        missing += len(known.not_built)
        rows.append(f"{name}: {known.built} built, {len(known.not_built)} not: {', '.join(sorted(known.not_built))}")
    absent = [n for n in surface().class_names() if n.startswith(("Q", "ctk")) and n not in buildable()]
    with capsys.disabled():
        print(f"\nstand-in: {len(rows)} Qt and ctk classes, {built} members built, {missing} recorded but not built")
        print(f"stand-in: classes recorded but not built: {', '.join(absent)}")
    # What is not built is Qt 5's protected or removed side; a drop here means that something broke.
    assert built > 20 * missing / 3, "\n".join(rows)
    assert {"QPushButton", "QProcess", "QTimer", "ctkCollapsibleButton", "ctkComboBox"} <= set(buildable())


@pytest.mark.parametrize("name", ["QNoSuch", "QAbstractEventDispatcherV2", "QPyTextObject"])
def test_a_name_that_the_module_lacks_is_an_attribute_error(name: str, qt: Any) -> None:
    with pytest.raises(AttributeError, match=f"module 'qt' has no attribute '{name}'"):
        getattr(qt, name)
    assert not hasattr(qt, name)


def test_a_class_without_a_record_is_refused(qt: Any) -> None:
    with pytest.raises(NotImplementedError, match="the surface has no record"):
        _ = qt.QUndoStack


def test_qt_6_only_members_do_not_exist(qt: Any) -> None:
    assert not hasattr(qt.Qt, "ColorScheme")
    assert not hasattr(qt.QMouseEvent, "position")
    assert not hasattr(qt.QCheckBox(), "checkStateChanged")


def test_qt_5_numbers_mean_what_they_meant(qt: Any) -> None:
    font = qt.QFont()
    font.setWeight(75)
    assert (font.weight(), font.bold(), qt.QFont.Bold) == (75, True, 75)
    font.setWeight(qt.QFont.DemiBold)
    assert font.weight() == 63


def test_signatures_are_normalised() -> None:
    assert normalised("foo( const QString & , int )") == "foo(QString,int)"
    assert SignalRecord.parse("clicked()").parameters == ()
