"""An executed notebook as one HTML file that anybody can open."""

from __future__ import annotations

from pathlib import Path

from classroom import notebooks
from classroom.atomic import write_text

_READABLE = "<style>main { max-width: 62rem; margin: 0 auto; }</style>\n"
"""Lines of prose that an eye can follow, on a screen of any width."""

_TEMPLATES = Path(__file__).parent / "templates"
"""JupyterLab's template, with the alternative text of figures added."""


def export(executed: Path, page: Path) -> None:
    """Write the executed notebook `executed` as a web page, in JupyterLab's looks, figures embedded.

    Raises:
        NotebookFormError: `executed` is no valid notebook.
    """
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="course", extra_template_basedirs=[str(_TEMPLATES)], embed_images=True
    )
    exporter.exclude_input_prompt = True
    exporter.exclude_output_prompt = True
    exporter.exclude_anchor_links = False
    content = notebooks.read(executed)
    title = content.cells[0].source.partition("\n")[0].lstrip("# ") if content.cells else page.stem
    html, _ = exporter.from_notebook_node(
        content, resources={"metadata": {"name": title, "path": str(executed.parent)}}
    )
    write_text(page, html.replace("</head>", f"{_READABLE}</head>", 1))
