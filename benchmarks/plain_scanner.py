"""The least that looks for codes in a stream: OpenCV and zxing-cpp, frame by frame."""

from __future__ import annotations

import sys

import cv2
import zxingcpp


def main(source: str) -> None:
    """Look at every frame until the stream or the process ends."""
    formats = zxingcpp.BarcodeFormats(
        [zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.Code128]
    )
    cv2.setNumThreads(1)
    stream = cv2.VideoCapture(source)
    while True:
        is_there, frame = stream.read()
        if not is_there:
            return
        zxingcpp.read_barcodes(frame, formats=formats)


if __name__ == "__main__":
    main(sys.argv[1])
