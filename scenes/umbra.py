import math

from installation.scene import Frame, Param, Pass, Point, Scene, Space


class Umbra(Scene):
    """Whoever stands before the wall casts a shade, and the faces are seen in that alone.

    For a wall with a camera: who stays sees one face after the other in themselves, and leaves a
    trail of light. Where nobody is, a lantern goes about and looks for them.
    """

    speed = Param(0.12, 0, 2, unit="seeds/s", glide=1.0, doc="How fast faces pass.")
    stir = Param(2, 0, 20, glide=1.0, doc="How much faster they pass for one who moves.")
    heed = Param(2, 0, 10, glide=1.0, doc="How much faster loud sound drives them on.")
    calm = Param(0.85, 0.3, 1.2, glide=1.0, doc="Truncation: low is average, high is strange.")
    finds = Param(1.5, 0.1, 20, unit="s", doc="How long it takes until it is out.")
    passes = (
        Pass(
            "post/shade",
            lantern=Param(0.32, 0, 1.5, glide=1.0, doc="How large the lantern is."),
            found="found",
            wander=0.0,
            across="across",
            up="up",
            outside=Param(0.02, 0, 1, glide=0.5, doc="Light that is left around who is there."),
            soft=Param(0.5, 0, 1, glide=0.5, doc="How soft the edge of a shade is."),
            rim=Param(0.25, 0, 2, glide=0.5, doc="Light along its edge."),
        ),
        Pass(
            "post/trails",
            seconds=Param(0.6, 0, 5, unit="s", glide=0.5, doc="Until half of a trail is gone."),
        ),
        Pass("post/bloom", amount=Param(0.2, 0, 1, glide=0.3, doc="Light spilling over.")),
        Pass("post/grain", amount=Param(0.05, 0, 0.5, glide=0.3, doc="Film grain.")),
    )

    def start(self, space: Space) -> None:
        self.walk = space.spline(range(800, 812))
        self.across = self.up = 0.0  # where the lantern is
        self.found = 0.0  # 0 to 1: the lantern has found somebody, and goes out

    def step(self, frame: Frame) -> Point:
        there = 1.0 if frame.presence > 0.05 else 0.0
        slow = self.finds if there else 3 * self.finds
        self.found += (there - self.found) * (1 - math.exp(-frame.dt / slow))
        # here and not in the shader: a film that loops brings back what its scene moves
        self.across = 0.33 * math.sin(0.29 * frame.time)
        self.up = 0.33 * math.sin(0.195 * frame.time + 1)
        pace = 1 + self.stir * frame.motion + self.heed * frame.level
        self.walk.advance(frame.dt * self.speed * pace)
        return self.walk.point(truncation=self.calm)
