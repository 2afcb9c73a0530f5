"""Why an image is named: what each reason means, what to do, and what is suggested."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """keep: what is suggested. A wrong guess must not cost a good image, so only what cannot be
    used or is there twice is suggested to be left out; the rest is for the artist to look at."""

    name: str
    keep: bool
    meaning: str
    advice: str


REASONS = {
    reason.name: reason
    for reason in (
        Reason("broken", False, "cannot be read: cut short, damaged, or no image",
               "export or download it again; training leaves it out"),
        Reason("too-large", False, "more pixels or bytes than are read",
               "make it smaller to have it read; training leaves it out"),
        Reason("format", False, "an image, but neither JPEG, PNG nor WebP",
               "save it as one of these to have it read; of an animation choose the frames"),
        Reason("tiny", False, "too small to learn from",
               "find a larger version; enlarging it here would not help"),
        Reason("empty", False, "one even colour and nothing on it",
               "leave it out"),
        Reason("duplicate", False, "the same image as another, byte for byte or pixel for pixel",
               "leave it out, or the piece learns this one by heart"),
        Reason("near-duplicate", False, "a copy of another: resized, re-saved, mirrored, retouched",
               "leave it out, or the piece learns this one by heart; the best copy stays"),
        Reason("alike", True, "much like another, but the details differ",
               "look at the two: keep both if they are two works"),
        Reason("blurred", True, "without any sharp edge, at 256 pixels already",
               "look at it: leave it out unless it is meant to be soft"),
        Reason("drawing", True, "flat areas, few colours, hard edges: clip-art or vector drawing",
               "look at it: logos and maps spoil photographs"),
        Reason("odd-aspect", True, "far wider or taller than the others",
               "look at it: crop it yourself, or it becomes a thin strip on its own colour"),
        Reason("outlier", True, "unlike all the others, in shapes and colours",
               "look at it: does it belong here? Rare is not wrong"),
        Reason("animated", True, "an animation, of which the first frame is read",
               "save the frames you want as images of their own"),
    )
}  # fmt: skip
