"""A program that receives a source by NDI, as OBS or Resolume would; run as a process of its own.

    python ndi_receiver.py NAME

prints width, height, and red, green and blue at the top and at the bottom of each picture that is
another than the one before.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from cyndilib.finder import Finder
from cyndilib.receiver import Receiver
from cyndilib.video_frame import VideoFrameSync
from cyndilib.wrapper.ndi_recv import RecvBandwidth, RecvColorFormat


def main(name: str) -> None:
    finder = Finder()
    finder.open()
    while not (found := [one for one in finder.get_source_names() if f"({name})" in one]):
        finder.wait_for_sources(1)
    receiver = Receiver(color_format=RecvColorFormat.RGBX_RGBA, bandwidth=RecvBandwidth.highest)
    frame = VideoFrameSync()
    receiver.frame_sync.set_video_frame(frame)
    receiver.set_source(finder.get_source(found[0]))
    told = ""
    while True:
        receiver.frame_sync.capture_video()
        width, height = frame.get_resolution()
        if width and height:
            picture = np.asarray(frame.get_array()).reshape(height, -1, 4)
            seen = [width, height, *picture[0, 0, :3], *picture[-1, 0, :3]]
            news = " ".join(str(int(one)) for one in seen)
            if news != told:
                told = news
                print(news, flush=True)
        time.sleep(0.01)


if __name__ == "__main__":
    main(sys.argv[1])
