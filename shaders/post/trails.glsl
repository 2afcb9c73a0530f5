// Trails: what was there a moment ago is still seen, like a long exposure or a light in the dark.
// It fades by the second, not by the frame, so it looks the same at any frame rate.
//@ feedback
//@ neutral seconds=0 zoom=0
uniform float seconds = 0.4; // until half of a trail is gone; 0 is none
uniform float light = 0.0;   // 0 long exposure, 1 only bright things leave a trail
uniform float zoom = 0.0;    // how far trails move outward in a second; 0.1 is a tenth

void main() {
    vec3 c = clamp(here(source), 0.0, 64.0); // what feeds back must stay finite
    float kept = exp2(-dt / max(seconds, 1e-4)) * step(1e-4, seconds);
    vec3 before = kept * texture(previous, (uv - 0.5) * exp2(-zoom * dt) + 0.5).rgb;
    color = vec4(mix(before + (1.0 - kept) * c, max(before, c), light), 1.0);
}
