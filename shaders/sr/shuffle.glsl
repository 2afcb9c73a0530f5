#version 330 core
// Pixel shuffle: each output pixel picks its part, component and colours from the phases.

//! declarations

uniform sampler2D red;
uniform sampler2D green;
uniform sampler2D blue;
out vec4 colour;

void main() {
    ivec2 p = ivec2(gl_FragCoord.xy);
    ivec2 within = p - p / SCALE * SCALE;
    int phase = within.y * SCALE + within.x, j = phase % PART, part = phase / PART;
    vec2 size = vec2(textureSize(red, 0)); // the middle of the pixel in its part
    float parts = float(SCALE * SCALE / PART);
    vec2 at = vec2(p / SCALE) + vec2(0.5, 0.5 + float(part) * size.y / parts);
    at /= size;
    vec3 rgb = vec3(textureLod(red, at, 0.0)[j], textureLod(green, at, 0.0)[j], textureLod(blue, at, 0.0)[j]);
    colour = vec4(clamp(rgb, 0.0, 1.0), 1.0);
}
