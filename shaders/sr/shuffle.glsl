#version 330 core
// Pixel shuffle: each output pixel picks its part, component and colours from the phases.

//! declarations

uniform sampler2D red;
uniform sampler2D green;
uniform sampler2D blue;
out vec4 colour;

void main() {
    ivec2 p = ivec2(gl_FragCoord.xy);
    ivec2 block = p / SCALE;
    ivec2 within = p - block * SCALE;
    int phase = within.y * SCALE + within.x;
    int parts = SCALE * SCALE / PART, j = phase % PART;
    ivec2 at = ivec2(block.x, block.y + (phase / PART) * (textureSize(red, 0).y / parts));
    vec3 rgb = vec3(texelFetch(red, at, 0)[j], texelFetch(green, at, 0)[j], texelFetch(blue, at, 0)[j]);
    colour = vec4(clamp(rgb, 0.0, 1.0), 1.0);
}
