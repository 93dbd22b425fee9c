"""till sim camera: a network camera and what is held before it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from drivers.protocols import Image
    from simulators.camera import CameraSimulator


@click.command(
    "camera",
    epilog="\b\nExample:\n  till sim camera --code 281234567890123456 --port 8081\n"
    "  curl --data-binary @screen.png -H 'content-type: image/png' "
    "http://127.0.0.1:8081/show\n"
    "  curl -X POST http://127.0.0.1:8081/fault/stall",
)
@click.option(
    "--show",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Hold this picture before the lens.",
)
@click.option("--code", help="Hold a phone that shows this text as a code.")
@click.option(
    "--symbol",
    type=click.Choice(["qr", "code128"]),
    default="qr",
    show_default=True,
    help="What --code is drawn as.",
)
@click.option("--scene", default="counter", show_default=True, help="A name that --list shows.")
@click.option("--seed", type=int, default=0, help="The same seed gives the same frames.")
@click.option(
    "--fps", type=click.FloatRange(1, 60), default=15.0, show_default=True, help="Frames a second."
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 takes any free port.")
@click.option(
    "--png",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write one frame to a file and end.",
)
@click.option("--until-eof", is_flag=True, help="End when standard input closes.")
@click.option("--list", "listing", is_flag=True, help="List the scenes and end.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    show: Path | None,
    code: str | None,
    symbol: str,
    scene: str,
    seed: int,
    fps: float,
    port: int,
    png: Path | None,
    until_eof: bool,
    listing: bool,
    as_json: bool,
) -> None:
    """Run a camera on this machine: an MJPEG stream that OpenCV opens.

    Prints its address, then serves until interrupted. It binds to 127.0.0.1
    only. POST /show holds up the picture in the body, DELETE /show takes it
    away, POST /fault/stall, close, garbage or none breaks or mends the wire.
    """
    from simulators.camera import SCENES, CameraSimulator, Lens

    if listing:
        _list(as_json)
        return
    if scene not in SCENES:
        raise click.BadParameter(f"one of {', '.join(SCENES)}", param_hint="--scene")
    held = _held(show, code, symbol)
    if png is not None:
        _write(png, Lens(seed, SCENES[scene]).frame(held, 1, 0))
        return
    try:
        camera = CameraSimulator(seed, scene=SCENES[scene], frames_per_s=fps, port=port)
    except OSError as error:
        raise click.ClickException(f"127.0.0.1:{port}: {error.strerror}") from error
    camera.show(held)
    click.echo(json.dumps({"url": camera.url}) if as_json else camera.url)
    _serve(camera, until_eof)


def _serve(camera: CameraSimulator, until_eof: bool) -> None:
    try:
        if until_eof:
            while sys.stdin.buffer.read(4096):
                pass
        else:
            camera.wait_for(lambda: False, float(1 << 31))
    except KeyboardInterrupt:
        return
    finally:
        camera.close()


def _held(show: Path | None, code: str | None, symbol: str) -> Image | None:
    """Return the picture to hold, or None for an empty counter."""
    if show is not None and code is not None:
        raise click.UsageError("give --show or --code, not both")
    if show is not None:
        import cv2

        image = cv2.imread(str(show), cv2.IMREAD_COLOR)
        if image is None:
            raise click.ClickException(f"{show}: not a picture, or a damaged one")
        return image  # type: ignore[return-value]  # cv2's own type is wider
    if code is not None:
        from simulators.phone_screen import draw_screen

        try:
            return draw_screen("Phone", (96, 96, 96), [code], symbol=symbol)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--code") from error
    return None


def _write(path: Path, frame: Image) -> None:
    import cv2

    path.write_bytes(cv2.imencode(".png", frame)[1].tobytes())


def _list(as_json: bool) -> None:
    from dataclasses import asdict

    from simulators.camera import SCENES

    if as_json:
        click.echo(json.dumps({name: asdict(scene) for name, scene in SCENES.items()}, indent=2))
        return
    for name, scene in SCENES.items():
        click.echo(
            f"{name:10} fills {scene.fill:.0%}, tilts up to {scene.tilt_deg:g}°, "
            f"exposure {scene.gain:g}, glare {scene.glare:g}, noise {scene.noise:g}"
        )
