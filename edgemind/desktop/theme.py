"""Colours and measures of the window, light and dark, as a palette and a style sheet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QPalette
from PySide6.QtWidgets import QApplication

Mode = Literal["light", "dark"]


@dataclass(frozen=True, slots=True)
class Theme:
    """One look. Texts have at least 4.5:1 against every surface that they stand on."""

    mode: Mode
    page: str
    side: str
    surface: str
    raised: str
    line: str
    text: str
    muted: str
    accent: str
    on_accent: str
    soft: str
    code: str
    bad: str
    good: str
    warn: str
    base: int = 15
    """Height of text, in pixels."""


LIGHT = Theme(
    mode="light", page="#ffffff", side="#f5f5f2", surface="#ffffff", raised="#f1f1ed",
    line="#deddd7", text="#1d1d1b", muted="#62615c", accent="#0d6b62", on_accent="#ffffff",
    soft="#e2efec", code="#f5f5f1", bad="#b3261e", good="#1a6b37", warn="#8a4b08",
)  # fmt: skip
DARK = Theme(
    mode="dark", page="#1b1c1e", side="#141517", surface="#232427", raised="#2a2b2f",
    line="#3a3b40", text="#ebebe8", muted="#a6a6a1", accent="#58c8ba", on_accent="#06231f",
    soft="#1d3835", code="#131416", bad="#ff8a80", good="#6fd08c", warn="#f0b45c",
)  # fmt: skip
TEXT_FONTS = ("Inter", "SF Pro Text", "Segoe UI Variable", "Cantarell", "Ubuntu", "Noto Sans")
LEAST_BASE, SCROLLBAR = 15, 14
"""Pixels: the least height of text, the width of a scroll bar with its margins."""


def prepare_fonts(app: QApplication) -> int:
    """Choose the fonts once; the height of text in pixels, larger where the system's is."""
    font = app.font()
    known = set(QFontDatabase.families())
    # A system that names no font of its own says "Sans Serif", which may be anything.
    if font.family() in ("Sans Serif", "Sans", "") and (
        chosen := next((name for name in TEXT_FONTS if name in known), None)
    ):
        font.setFamily(chosen)
    base = max(LEAST_BASE, QFontInfo(font).pixelSize())
    font.setPixelSize(base)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    app.setFont(font)
    return base


def fixed_family() -> str:
    """The font of code."""
    known = set(QFontDatabase.families())
    system = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()
    wanted = ("JetBrains Mono", "SF Mono", "Cascadia Mono", system, "DejaVu Sans Mono")
    return next((name for name in wanted if name in known), str(system))


def palette(theme: Theme) -> QPalette:
    """For what the style sheet does not reach: selections, tool tips, Qt's own dialogs."""
    made = QPalette()
    role = QPalette.ColorRole
    for name, colour in (
        (role.Window, theme.page),
        (role.WindowText, theme.text),
        (role.Base, theme.surface),
        (role.AlternateBase, theme.raised),
        (role.Text, theme.text),
        (role.Button, theme.raised),
        (role.ButtonText, theme.text),
        (role.ToolTipBase, theme.raised),
        (role.ToolTipText, theme.text),
        (role.PlaceholderText, theme.muted),
        (role.Highlight, theme.accent),
        (role.HighlightedText, theme.on_accent),
        (role.Link, theme.accent),
        (role.Mid, theme.line),
    ):
        made.setColor(name, QColor(colour))
    return made


def style_sheet(theme: Theme) -> str:
    """The style sheet of the whole window; widgets are named where they are made."""
    t = theme
    small, tiny = round(t.base * 0.87), round(t.base * 0.8)
    return f"""
* {{ color: {t.text}; outline: none; }}
QMainWindow, QDialog, #page, #column, QScrollArea {{ background: {t.page}; border: none; }}
QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.line}; padding: 4px; }}
#side {{ background: {t.side}; border: none; border-right: 1px solid {t.line}; }}
#wordmark {{ font-size: {t.base + 3}px; font-weight: 600; }}
#muted {{ color: {t.muted}; font-size: {small}px; }}
#tiny, #tiny * {{ color: {t.muted}; font-size: {tiny}px; }}
#heading {{ font-size: {t.base + 11}px; font-weight: 600; }}
#title {{ font-size: {t.base + 3}px; font-weight: 600; }}
#section {{ color: {t.muted}; font-size: {tiny}px; font-weight: 600; }}
#bar {{ background: {t.page}; border: none; border-bottom: 1px solid {t.line}; }}
#composer {{ background: {t.surface}; border: 1px solid {t.line}; border-radius: 14px; }}
#composer[focused="true"] {{ border: 1px solid {t.accent}; }}
#prompt {{ background: transparent; border: none; padding: 2px; }}
#bubble {{ background: {t.raised}; border-radius: 14px; }}
#bubble QLabel {{ background: transparent; }}
#card {{ background: {t.side}; border: 1px solid {t.line}; border-radius: 10px; }}
#chip {{ background: {t.soft}; border-radius: 8px; }}
#chip QLabel {{ color: {t.text}; font-size: {small}px; background: transparent; }}
#notice {{ background: {t.soft}; border: 1px solid {t.line}; border-radius: 10px; }}
#notice[kind="bad"] {{ border: 1px solid {t.bad}; background: {t.page}; }}
#bad {{ color: {t.bad}; font-size: {small}px; }}
#answer, #thought, #details {{ background: transparent; border: none; padding: 0; }}
#thought, #details {{ color: {t.muted}; font-size: {small}px; }}
#details {{ font-family: "{fixed_family()}"; font-size: {tiny}px; }}
#overlay {{ background: {t.page}; border: 2px dashed {t.accent}; border-radius: 18px; }}
QPushButton, QToolButton {{ border: 1px solid transparent; border-radius: 8px; padding: 5px 10px;
  background: transparent; }}
QToolButton {{ padding: 5px; }}
QPushButton:hover, QToolButton:hover {{ background: {t.raised}; }}
QPushButton:focus, QToolButton:focus {{ border: 1px solid {t.accent}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {t.muted}; }}
QPushButton#outlined {{ border: 1px solid {t.line}; padding: 7px 12px; }}
QPushButton#outlined:hover {{ background: {t.raised}; }}
QPushButton#outlined:focus {{ border: 1px solid {t.accent}; }}
QPushButton#suggestion {{ border: 1px solid {t.line}; border-radius: 12px; padding: 11px 14px;
  text-align: left; }}
QPushButton#suggestion:hover {{ background: {t.raised}; }}
QPushButton#suggestion:focus {{ border: 1px solid {t.accent}; }}
QPushButton#primary, QToolButton#primary {{ background: {t.accent}; color: {t.on_accent};
  border: 2px solid {t.accent}; font-weight: 600; }}
QPushButton#primary:focus, QToolButton#primary:focus {{ border: 2px solid {t.text}; }}
QToolButton#primary:disabled {{ background: {t.raised}; border: 2px solid {t.raised}; }}
QPushButton#model {{ font-weight: 600; padding: 6px 10px; text-align: left; }}
QToolButton#fold {{ color: {t.muted}; font-size: {small}px; padding: 4px 6px; }}
QToolButton#quiet, QPushButton#quiet {{ color: {t.muted}; font-size: {small}px; padding: 4px 7px; }}
#segments {{ background: {t.raised}; border-radius: 9px; }}
#segments QPushButton {{ color: {t.muted}; font-size: {small}px; padding: 4px 10px;
  border-radius: 7px; }}
#segments QPushButton:hover {{ color: {t.text}; }}
#segments QPushButton:checked {{ background: {t.surface}; color: {t.text};
  border: 1px solid {t.line}; font-weight: 600; }}
#segments QPushButton:focus {{ border: 1px solid {t.accent}; }}
QLineEdit, QPlainTextEdit#field {{ background: {t.surface}; border: 1px solid {t.line};
  border-radius: 8px; padding: 6px 9px; selection-background-color: {t.accent};
  selection-color: {t.on_accent}; }}
QLineEdit:focus, QPlainTextEdit#field:focus {{ border: 1px solid {t.accent}; }}
QLineEdit#limits {{ padding: 3px 7px; font-size: {small}px; }}
QListWidget {{ background: transparent; border: none; }}
QListWidget::item {{ border-radius: 8px; padding: 7px 9px; margin: 1px 0; color: {t.text}; }}
QListWidget::item:hover {{ background: {t.raised}; }}
QListWidget::item:selected {{ background: {t.soft}; color: {t.text}; }}
QListWidget::item:disabled {{ color: {t.muted}; background: transparent;
  padding: 9px 9px 3px 9px; }}
QListWidget#models::item {{ padding: 0; }}
QMenu {{ background: {t.surface}; border: 1px solid {t.line}; border-radius: 8px; padding: 4px; }}
QMenu::item {{ padding: 6px 18px; border-radius: 6px; }}
QMenu::item:selected {{ background: {t.soft}; }}
QCheckBox {{ padding: 3px; }}
QScrollBar:vertical {{ background: transparent; width: {SCROLLBAR}px; }}
QScrollBar::handle:vertical {{ background: {t.line}; border-radius: 3px; min-height: 32px;
  margin: 2px 4px; }}
QScrollBar::handle:vertical:hover {{ background: {t.muted}; }}
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{
  background: transparent; height: 0; }}
QScrollBar[idle="true"]::handle:vertical {{ background: transparent; }}
QScrollBar:horizontal {{ height: 0; }}
"""
