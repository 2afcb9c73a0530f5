from installation.scene import Frame, Param, Pass, Point, Scene, Space


class Procession(Scene):
    """A spline through chosen seeds: each face arrives, is there a while, and passes on.

    For footsteps and slow drums: the louder it is, the faster they pass.
    """

    speed = Param(0.18, 0, 2, unit="seeds/s", glide=1.0, doc="How fast they pass.")
    rest = Param(0.7, 0, 1, glide=1.0, doc="How long each one stays before it moves on.")
    calm = Param(0.85, 0.3, 1.2, glide=1.0, doc="Truncation: low is average, high is strange.")
    heed = Param(2, 0, 10, glide=1.0, doc="How much faster loud sound drives them on.")
    passes = (
        Pass(
            "post/trails",
            seconds=Param(0.35, 0, 5, unit="s", glide=0.5, doc="Until half of a trail is gone."),
        ),
        Pass("post/grade", saturation=Param(1.0, 0, 2, glide=0.5, doc="Colour; 0 is grey.")),
        Pass("post/grain", amount=Param(0.05, 0, 0.5, glide=0.3, doc="Film grain.")),
    )

    def start(self, space: Space) -> None:
        self.walk = space.spline(seeds=(3, 14, 15, 92, 65, 35, 89, 79))
        self.way = 0.0

    def step(self, frame: Frame) -> Point:
        near = abs((self.way + 0.5) % 1 - 0.5)  # 0 at a seed, 0.5 halfway to the next
        pace = 1 - self.rest * (1 - 2 * near) ** 2 * 0.97
        step = frame.dt * self.speed * pace * (1 + self.heed * frame.level)
        self.way += step
        self.walk.advance(step)
        return self.walk.point(truncation=self.calm)
