// What every shader is given. The loader puts this in front of the file.
in vec2 uv;                 // 0 to 1 across the picture, (0, 0) at the bottom left
layout(location = 0) out vec4 color; // linear light; alpha is not used
uniform sampler2D source;   // the picture to work on, linear light
uniform sampler2D original; // in a pass of several stages: what the first of them was given
uniform sampler2D previous; // in a feedback pass: what it drew a frame ago
uniform sampler2D shade;    // in a pass: who stands before the wall; lib/shade.glsl reads it smoothly
uniform float time;         // seconds, from 0 again after 4096 of them
uniform float dt;           // seconds since the last frame
uniform vec2 resolution;    // pixels of what is being drawn

vec3 here(sampler2D picture) { // this very pixel, of a picture as large as what is being drawn
    return texelFetch(picture, ivec2(gl_FragCoord.xy), 0).rgb;
}

#define main main_of_the_file
