"""The notebooks run from top to bottom in a fresh kernel, and lie in the repository without their outputs."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

_ROOT = Path(__file__).resolve().parents[1]
_NOTEBOOKS = sorted((_ROOT / "notebooks").glob("*.ipynb"))
_SECONDS_A_CELL = 300

each_notebook = pytest.mark.parametrize("path", _NOTEBOOKS, ids=[path.stem for path in _NOTEBOOKS])


def read_notebook(path: Path) -> NotebookNode:
    """Return a notebook that keeps to the format."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the cells of code, in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed(notebook: NotebookNode) -> str:
    """Return what the cells print."""
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    return "".join(output.text for output in outputs if output.output_type == "stream" and output.name == "stdout")


def execute(path: Path, folder: Path, home: Path) -> NotebookNode:
    """Run a notebook in a fresh kernel that works in a folder and keeps its own files in another; an error raises."""
    notebook = read_notebook(path)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
            patch.setenv(name, str(home / name.lower()))
        resources = {"metadata": {"path": str(folder)}}
        NotebookClient(notebook, timeout=_SECONDS_A_CELL, kernel_name="python3", resources=resources).execute()
    return notebook


@pytest.fixture(scope="module", params=[".", "notebooks"], ids=["in the root", "in notebooks"])
def executed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, NotebookNode]:
    """Return each notebook by its name, run from the root and from its own folder."""
    home = tmp_path_factory.mktemp("home")
    return {path.stem: execute(path, _ROOT / request.param, home) for path in _NOTEBOOKS}


def test_there_is_a_first_one() -> None:
    """The first notebook trains and chooses a promise."""
    assert [path.stem for path in _NOTEBOOKS][:1] == ["01_train_and_choose"]


@each_notebook
def test_is_stripped(path: Path) -> None:
    """A notebook is stored without outputs and execution counts."""
    cells = code_cells(read_notebook(path))
    assert [cell.id for cell in cells if cell.outputs or cell.execution_count is not None] == []


@each_notebook
def test_says_nothing_about_its_writer(path: Path) -> None:
    """A notebook's metadata name the language and the usual kernel, and no machine, version or time."""
    notebook = read_notebook(path)
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert [cell.id for cell in notebook.cells if cell.metadata] == []


@pytest.mark.slow
def test_runs(executed: dict[str, NotebookNode]) -> None:
    """Every cell runs, once and in order, from either folder."""
    for notebook in executed.values():
        cells = code_cells(notebook)
        assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))


@pytest.mark.slow
def test_plots(executed: dict[str, NotebookNode]) -> None:
    """Every cell that plots shows one image, and there are three such cells in the first notebook."""
    n_images = {}
    for name, notebook in executed.items():
        for cell in code_cells(notebook):
            if "plt.show()" in cell.source:
                n_images[name, cell.id] = sum("image/png" in output.get("data", {}) for output in cell.outputs)
    assert set(n_images.values()) == {1}
    assert sum(name == "01_train_and_choose" for name, _ in n_images) == 3


@pytest.mark.slow
def test_saved_bundle_answers_the_same(executed: dict[str, NotebookNode]) -> None:
    """The bundle that the first notebook saves answers as the model it was saved from."""
    assert "The loaded bundle answers the same: True" in printed(executed["01_train_and_choose"])
