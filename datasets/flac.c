#include "datasets/flac.h"

#include "attn/alloc.h"

#include <FLAC/stream_decoder.h>
#include <stdbool.h>

enum { FIRST_BLOCK = 1 << 18 };

typedef struct decoding {
    const char *path;
    attn_error *error;
    float *samples;
    size_t count, room;
    bool failed;
} decoding;

/* The buffer follows what is decoded, not what the header claims: a damaged header may claim terabytes. */
static int make_room(decoding *d, size_t more) {
    if (d->count + more <= d->room)
        return 0;
    size_t room = d->room ? d->room * 2 : FIRST_BLOCK;
    float *grown = attn_realloc(d->samples, room, sizeof *grown, d->path, d->error);
    if (!grown)
        return -1;
    d->samples = grown;
    d->room = room;
    return 0;
}

/* A block has at most 65535 frames, fewer than FIRST_BLOCK: doubling once is enough. */
static FLAC__StreamDecoderWriteStatus take_block(const FLAC__StreamDecoder *decoder, const FLAC__Frame *frame,
                                                 const FLAC__int32 *const channels[], void *context) {
    (void)decoder;
    decoding *d = context;
    size_t frames = frame->header.blocksize;
    if (d->failed || make_room(d, frames)) {
        d->failed = true;
        return FLAC__STREAM_DECODER_WRITE_STATUS_ABORT;
    }
    const float scale = 1.0f / (float)(1u << (frame->header.bits_per_sample - 1));
    for (size_t i = 0; i < frames; i++)
        d->samples[d->count + i] = (float)channels[0][i] * scale;
    d->count += frames;
    return FLAC__STREAM_DECODER_WRITE_STATUS_CONTINUE;
}

/* Bytes after the last frame (tags that old programs append) look like a frame that cannot be found. */
static bool is_complete(const FLAC__StreamDecoder *decoder, const decoding *d) {
    FLAC__uint64 claimed = FLAC__stream_decoder_get_total_samples(decoder);
    return claimed && d->count == claimed;
}

static const char *fault_text(FLAC__StreamDecoderErrorStatus status) {
    switch (status) {
    case FLAC__STREAM_DECODER_ERROR_STATUS_LOST_SYNC:
        return "no frame where one is expected";
    case FLAC__STREAM_DECODER_ERROR_STATUS_BAD_HEADER:
        return "the header of a frame is wrong";
    case FLAC__STREAM_DECODER_ERROR_STATUS_FRAME_CRC_MISMATCH:
        return "the checksum of a frame is wrong";
    default:
        return "a frame cannot be decoded";
    }
}

static void take_fault(const FLAC__StreamDecoder *decoder, FLAC__StreamDecoderErrorStatus status,
                       void *context) {
    decoding *d = context;
    if (is_complete(decoder, d))
        return;
    d->failed = true;
    attn_fail(d->error, "%s: damaged after %zu samples (%s)", d->path, d->count, fault_text(status));
}

static int decode(decoding *d, FLAC__StreamDecoder *decoder) {
    FLAC__stream_decoder_set_md5_checking(decoder, true);
    FLAC__StreamDecoderInitStatus begun =
        FLAC__stream_decoder_init_file(decoder, d->path, take_block, NULL, take_fault, d);
    if (begun != FLAC__STREAM_DECODER_INIT_STATUS_OK)
        return attn_fail(d->error, "%s: cannot be read: %s", d->path,
                         FLAC__StreamDecoderInitStatusString[begun]);
    bool done = FLAC__stream_decoder_process_until_end_of_stream(decoder) && !d->failed;
    FLAC__uint64 claimed = FLAC__stream_decoder_get_total_samples(decoder);
    const char *state = FLAC__stream_decoder_get_resolved_state_string(decoder);
    if (!done)
        return attn_fail(d->error, "%s: damaged after %zu samples (%s)", d->path, d->count, state);
    if (claimed && d->count != claimed)
        return attn_fail(d->error, "%s: %zu samples, its header says %zu", d->path, d->count,
                         (size_t)claimed);
    if (!FLAC__stream_decoder_finish(decoder))
        return attn_fail(d->error, "%s: damaged: its samples do not have the MD5 that its header says",
                         d->path);
    return 0;
}

int flac_read(float **samples, size_t *count, const char *path, attn_error *error) {
    decoding d = {.path = path, .error = error};
    *samples = NULL;
    *count = 0;
    FLAC__StreamDecoder *decoder = FLAC__stream_decoder_new();
    if (!decoder)
        return attn_no_memory(error, path);
    int result = decode(&d, decoder);
    FLAC__stream_decoder_delete(decoder);
    if (result) {
        attn_free(d.samples);
        return -1;
    }
    *samples = d.samples;
    *count = d.count;
    return 0;
}
