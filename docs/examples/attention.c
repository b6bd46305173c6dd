/* One layer of latent attention, fed frame by frame, and the bytes that its cache holds. With the installed library:
 *
 *     cc attention.c -o attention $(pkg-config --cflags --libs --static attn) && ./attention
 */
#include <attn/alloc.h>
#include <attn/attention.h>
#include <attn/error.h>

#include <stdio.h>

enum { FRAMES = 100, D_MODEL = 64 };

static int run(attn_error *error) {
    const attn_variant *variant = attn_variant_find("mla_simple");
    attn_geometry geometry = {.d_model = D_MODEL, .num_heads = 4, .latent_dim = 16};
    attn_layer layer = {0};
    attn_cache cache = {0};
    float x[D_MODEL], y[D_MODEL];
    void *workspace = NULL;
    int result = -1;
    if (attn_geometry_complete(&geometry, variant, NULL, error) ||
        attn_layer_create(&layer, variant, &geometry, 1, error) ||
        attn_cache_init(&cache, variant, &geometry, 1, FRAMES, ATTN_ELEMENT_F32, error))
        goto done;
    const attn_impl *impl = attn_impl_find(variant, "auto");
    size_t size = impl->workspace(&geometry, 1, 1, FRAMES, ATTN_PATH_AUTO, 1);
    workspace = attn_alloc(size, 1, "workspace", error);
    if (!workspace)
        goto done;
    for (int t = 0; t < FRAMES; t++) {
        for (int i = 0; i < D_MODEL; i++)
            x[i] = (float)((t * 31 + i * 17) % 13) / 13.0f - 0.5f;
        const attn_call call = {.x = x, .batch = 1, .frames = 1};
        impl->forward(y, &layer, &cache, &call, workspace);
    }
    printf("%d frames, %zu bytes of cache, y[0] = %.4f\n", FRAMES, attn_cache_bytes_live(&cache), y[0]);
    result = 0;
done:
    attn_free(workspace);
    attn_cache_free(&cache);
    attn_layer_free(&layer);
    return result;
}

int main(void) {
    attn_error error = {0};
    if (run(&error)) {
        fprintf(stderr, "attention: %s\n", error.message);
        return 1;
    }
    return 0;
}
