// Colour grade: white balance, exposure, contrast around middle grey, saturation, lift.
//@ neutral exposure=0 contrast=1 saturation=1 temperature=0 lift=0
#include "lib/color.glsl"
uniform float exposure = 0.0;    // stops; 1 doubles the light
uniform float contrast = 1.0;    // above 1 steeper, around middle grey
uniform float saturation = 1.0;  // 0 grey, above 1 stronger
uniform float temperature = 0.0; // -1 cold to 1 warm
uniform float lift = 0.0;        // light in the blacks, 0 to 1

const float GREY = 0.18;

void main() {
    vec3 balance = exp2(temperature * vec3(0.35, 0.0, -0.45));
    vec3 c = max(here(source) * (exp2(exposure) / luminance(balance) * balance), 0.0);
    c = GREY * pow(max(c, 1e-6) / GREY, vec3(max(contrast, 0.0)));
    c = max(mix(vec3(luminance(c)), c, saturation), 0.0);
    color = vec4(c + lift * 0.1 * (1.0 - min(c, 1.0)), 1.0);
}
