import math

from installation.scene import Frame, Param, Pass, Point, Scene, Space


class Speculum(Scene):
    """A mirror: whoever stands before the wall is a face of the piece, in their own shape and pose.

    For a wall with a camera, and a piece that follows a guide: each one who comes is made as
    somebody else, and who moves, or a loud sound, turns them over faster. Alone it goes from face
    to face by itself.
    """

    follow = Param(0.8, 0, 1, glide=0.5, doc="How far a face takes the shape of who is there.")
    comes = Param(0.8, 0.1, 10, unit="s", doc="How long it takes; they are gone in twice the time.")
    turns = Param(1.5, 0.1, 20, unit="s", doc="How long it takes to become somebody else.")
    drift = Param(0.3, 0, 1, glide=1.0, doc="How far a face goes on changing in who stays.")
    speed = Param(0.08, 0, 1, unit="seeds/s", glide=1.0, doc="How fast faces pass.")
    stir = Param(2, 0, 20, glide=1.0, doc="How much faster they pass for one who moves.")
    heed = Param(2, 0, 10, glide=1.0, doc="How much faster loud sound drives them on.")
    calm = Param(0.85, 0.3, 1.2, glide=1.0, doc="Truncation: low is average, high is strange.")
    passes = (
        Pass(
            "post/trails",
            seconds=Param(0.12, 0, 5, unit="s", glide=0.5, doc="Until half of a trail is gone."),
        ),
        Pass("post/bloom", amount=Param(0.15, 0, 1, glide=0.3, doc="Light spilling over.")),
        Pass("post/grain", amount=Param(0.04, 0, 0.5, glide=0.3, doc="Film grain.")),
    )

    def start(self, space: Space) -> None:
        self.space, self.walk = space, space.spline(range(900, 912))
        self.met, self.face = 0, space.seed(950)
        self.now, self.there = self.walk.point(truncation=self.calm), 0.0

    def step(self, frame: Frame) -> Point:
        if frame.arrives:
            self.met += 1
            self.face = self.space.seed(950 + self.met)
        somebody = frame.presence > 0.05
        slow = self.comes if somebody else 2 * self.comes
        self.there += (somebody - self.there) * (1 - math.exp(-frame.dt / slow))
        pace = 1 + self.stir * frame.motion + self.heed * frame.level
        self.walk.advance(frame.dt * self.speed * pace)
        wanted = self.walk.point(truncation=self.calm)
        if somebody:  # the face of their own, and as it is dressed
            mind = self.space.blend(self.face, self.walk.point(), self.drift, self.calm)
            wanted = self.space.wear(mind, self.face)
        share = 1 - math.exp(-frame.dt / self.turns)
        self.now = self.space.blend(self.now, wanted, share)
        return self.space.guide(self.now, frame.guide, self.follow * self.there)
