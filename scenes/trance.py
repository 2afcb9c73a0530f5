from cmath import exp
from math import cos, log, pi, sin

from installation.scene import Frame, Param, Pass, Point, Scene, Space, Trigger


class Trance(Scene):
    """A beat shakes the hand that draws: the face is thrown off its own lines, and swings back.

    Deep in the generator a blow makes another being for a moment, at its surface it only sways.
    """

    speed = Param(0.05, 0, 1, unit="seeds/s", glide=1.0, doc="How fast one face becomes another.")
    calm = Param(0.8, 0.3, 1.2, glide=1.0, doc="Truncation: low is average, high is strange.")
    beats = Param(2, 0, 16, unit="beats", doc="Beats between blows; 0 waits for your hand.")
    force = Param(0.6, 0, 1, doc="How far a blow throws.")
    depth = Param(0.3, 0, 1, glide=0.6, doc="Where: 0 is the first layer, 1 the surface.")
    swing = Param(1.2, 0.2, 5, unit="1/s", doc="How often a second it swings to and fro.")
    rest = Param(0.7, 0.1, 4, unit="s", doc="Until half of a blow is spent.")
    heed = Param(1, 0, 1, doc="Whether sounds strike: from the middle of the fader on.")
    strike = Trigger(doc="A blow.")
    passes = (
        Pass("post/bloom", amount=Param(0.25, 0, 1, glide=0.3, doc="Light spilling over.")),
        Pass(
            "post/trails",
            seconds=Param(0.15, 0, 5, unit="s", glide=0.5, doc="Until half of a trail is gone."),
        ),
        Pass("post/grain", amount=Param(0.05, 0, 0.5, glide=0.3, doc="Film grain.")),
    )

    def start(self, space: Space) -> None:
        self.space, self.walk = space, space.spline(range(300, 312))
        self.blows, self.since, self.last_beat = 0, 0.0, 0.0
        # turn, size and place as pendulums: the imaginary part is where each is, the real its speed
        self.pendulums = [0j, 0j, 0j]

    def step(self, frame: Frame) -> Point:
        self.walk.advance(frame.dt * self.speed)
        self.since += frame.beat - self.last_beat
        self.last_beat = frame.beat
        due = self.beats > 0 and self.since >= self.beats
        if due:
            self.since %= self.beats
        if self.strike or due or (frame.onset and self.heed >= 0.5):
            self.hit()
        swung = exp(complex(-log(2) / self.rest, 2 * pi * self.swing) * frame.dt)
        self.pendulums = [one * swung for one in self.pendulums]
        turn, size, place = (one.imag for one in self.pendulums)
        point = self.walk.point(self.calm)
        return self.space.bend(point, self.depth, 75 * turn, 0.8 * size, 0.2 * place)

    def hit(self) -> None:
        """A push, each time another way: it moves nothing at once."""
        self.blows += 1
        way = 2.4 * self.blows  # the golden angle: no two are alike for long
        pushes = (cos(way), sin(way), sin(2 * way))
        self.pendulums = [
            complex(min(1, max(-1, one.real + self.force * push)), one.imag)
            for one, push in zip(self.pendulums, pushes, strict=True)
        ]
