/* A user's program, in C and in C++: one layer of attention over two calls of a stream, by public headers alone.
 * Prints how far the fastest implementation is from the scalar reference, and the bytes of the cache. */
#include "attn/alloc.h"
#include "attn/attention.h"
#include "attn/compare.h"

#include <stdio.h>

enum { FRAMES = 6, WIDTH = 16, VALUES = FRAMES * WIDTH, CALLS = 2 };

/* out [CALLS, FRAMES, WIDTH] of one implementation, the cache carried from call to call; -1 and the error. */
static int attend(float *out, const float *x, const attn_variant *variant, const attn_impl *impl,
                  const attn_layer *layer, size_t *cache_bytes, attn_error *error) {
    const attn_geometry *g = &layer->geometry;
    attn_cache cache = {};
    size_t size = impl->workspace(g, 1, FRAMES, CALLS * FRAMES, ATTN_PATH_AUTO, 1);
    void *workspace = attn_alloc(size, 1, "workspace", error);
    int status =
        workspace ? attn_cache_init(&cache, variant, g, 1, CALLS * FRAMES, ATTN_ELEMENT_F32, error) : -1;
    for (size_t i = 0; !status && i < CALLS; i++) {
        attn_call call = {};
        call.x = x + i * VALUES;
        call.batch = 1;
        call.frames = FRAMES;
        impl->forward(out + i * VALUES, layer, &cache, &call, workspace);
    }
    *cache_bytes = status ? 0 : attn_cache_bytes_live(&cache);
    attn_cache_free(&cache);
    attn_free(workspace);
    return status;
}

static int run(attn_error *error) {
    const attn_variant *variant = attn_variant_find("mla");
    attn_geometry geometry = {};
    geometry.d_model = WIDTH;
    geometry.num_heads = 4;
    geometry.latent_dim = 8;
    attn_layer layer = {};
    if (attn_geometry_complete(&geometry, variant, NULL, error) ||
        attn_layer_create(&layer, variant, &geometry, 1, error))
        return -1;
    float x[CALLS * VALUES], expected[CALLS * VALUES], got[CALLS * VALUES];
    for (size_t i = 0; i < CALLS * VALUES; i++)
        x[i] = (float)(i % 13) / 7.0f - 1.0f;
    size_t bytes = 0;
    int status = attend(expected, x, variant, attn_impl_find(variant, "scalar"), &layer, &bytes, error);
    if (!status)
        status = attend(got, x, variant, attn_impl_find(variant, "auto"), &layer, &bytes, error);
    attn_layer_free(&layer);
    if (status)
        return -1;
    attn_difference d = attn_compare(got, expected, CALLS * VALUES, 1e-5, 1e-5);
    printf("%s, cache %zu bytes\n", d.ok ? "agrees" : "differs", bytes);
    return d.ok ? 0 : -1;
}

int main(void) {
    attn_error error = {};
    if (!run(&error))
        return 0;
    fprintf(stderr, "one_layer: %s\n", error.message);
    return 1;
}
