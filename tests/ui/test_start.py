"""The start is a hot path: what the first digit does not need is not loaded."""

import subprocess
import sys

LATE = (
    "cv2",
    "numpy",
    "fastapi",
    "sqlalchemy",
    "requests",
    "babel",
    "qrcode",
    "PIL",
    "cryptography",
    "ui.widgets.characters",
    "ui.screens.payments",
    "ui.screens.result",
    "ui.screens.bench",
    "ui.pictures",
    "textual.widgets._data_table",
)


def test_nothing_heavy_is_loaded_for_the_first_digit() -> None:
    code = (
        "import sys; from ui.app import TillApp; from ui.still import StillTill; "
        "TillApp(StillTill(), 'zh'); print('\\n'.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "ui.screens.sale" in loaded
    assert not loaded & set(LATE)
