#include "datasets/fbank.h"

#include "attn/alloc.h"
#include "datasets/audio.h"

#include <float.h>
#include <kiss_fft.h>
#include <math.h>

enum { FFT_SIZE = 512, SPECTRUM = FFT_SIZE / 2 };

static const double LOW_HZ = 20, HIGH_HZ = FBANK_RATE / 2.0;
static const float PREEMPHASIS = 0.97F, FULL_SCALE = 32768;

/* The FFT bins under one triangle, and where its weights start. */
typedef struct mel_bin {
    size_t first, count, weight;
} mel_bin;

struct fbank {
    kiss_fft_cfg fft;
    float window[FBANK_WINDOW];
    mel_bin bins[FBANK_BINS];
    double weights[2 * SPECTRUM];  /* a point lies under at most two triangles */
    kiss_fft_cpx padded[FFT_SIZE]; /* zero beyond FBANK_WINDOW */
    kiss_fft_cpx spectrum[FFT_SIZE];
    double power[SPECTRUM];
};

/* Constants of the frames are rounded to float as torchaudio rounds them. Exact ones differ visibly: a low
 * mel bin holds one point near its foot, and the window's rounding is noise under the quiet bins of a loud
 * frame. */
static void fill_window(fbank *f) {
    const float step = (float)(2 * M_PI / (FBANK_WINDOW - 1));
    for (size_t i = 0; i < FBANK_WINDOW; i++)
        f->window[i] = powf(0.5F - 0.5F * cosf((float)i * step), 0.85F);
}

static double mel(double hz) {
    return 1127 * log(1 + hz / 700);
}

/* The edges of the triangles are evenly spaced in mel: triangle b rises from edge b to b + 1 and falls to
 * b + 2. */
static float mel_edge(size_t index) {
    double step = (mel(HIGH_HZ) - mel(LOW_HZ)) / (FBANK_BINS + 1);
    return (float)mel(LOW_HZ) + (float)index * (float)step;
}

static void fill_bins(fbank *f) {
    size_t used = 0;
    for (size_t b = 0; b < FBANK_BINS; b++) {
        mel_bin *bin = &f->bins[b];
        *bin = (mel_bin){.weight = used};
        float left = mel_edge(b), center = mel_edge(b + 1), right = mel_edge(b + 2);
        for (size_t k = 0; k < SPECTRUM; k++) {
            float point = 1127 * logf(1 + (float)k * FBANK_RATE / FFT_SIZE / 700);
            float weight = fminf((point - left) / (center - left), (right - point) / (right - center));
            if (weight <= 0)
                continue;
            if (!bin->count++)
                bin->first = k;
            f->weights[used++] = (double)weight;
        }
    }
}

fbank *fbank_create(attn_error *error) {
    fbank *f = attn_alloc(1, sizeof *f, "features", error);
    if (!f)
        return NULL;
    size_t size = 0;
    kiss_fft_alloc(FFT_SIZE, 0, NULL, &size); /* only asks for the size */
    void *memory = attn_alloc(size, 1, "Fourier transform", error);
    if (!memory) {
        attn_free(f);
        return NULL;
    }
    f->fft = kiss_fft_alloc(FFT_SIZE, 0, memory, &size);
    fill_window(f);
    fill_bins(f);
    return f;
}

void fbank_free(fbank *f) {
    if (f)
        attn_free(f->fft);
    attn_free(f);
}

size_t fbank_frames(size_t samples) {
    return samples < FBANK_WINDOW ? 0 : 1 + (samples - FBANK_WINDOW) / FBANK_SHIFT;
}

/* DC offset, pre-emphasis and window of one frame, rounded to float where Kaldi and torchaudio round. */
static void prepare_frame(fbank *f, const float *samples) {
    double sum = 0;
    for (size_t i = 0; i < FBANK_WINDOW; i++)
        sum += samples[i] * FULL_SCALE;
    float mean = (float)(sum / FBANK_WINDOW);
    float previous = samples[0] * FULL_SCALE - mean; /* the first sample is its own predecessor */
    for (size_t i = 0; i < FBANK_WINDOW; i++) {
        float sample = samples[i] * FULL_SCALE - mean;
        f->padded[i].r = (sample - PREEMPHASIS * previous) * f->window[i];
        previous = sample;
    }
}

static void log_mel(fbank *f, float *out) {
    for (size_t k = 0; k < SPECTRUM; k++) {
        double re = f->spectrum[k].r, im = f->spectrum[k].i;
        f->power[k] = re * re + im * im;
    }
    for (size_t b = 0; b < FBANK_BINS; b++) {
        const mel_bin *bin = &f->bins[b];
        double energy = 0;
        for (size_t k = 0; k < bin->count; k++)
            energy += f->weights[bin->weight + k] * f->power[bin->first + k];
        out[b] = (float)log(energy < (double)FLT_EPSILON ? (double)FLT_EPSILON : energy); /* NaN stays NaN */
    }
}

void fbank_compute(fbank *f, float *out, const float *samples, size_t count) {
    size_t frames = fbank_frames(count);
    for (size_t t = 0; t < frames; t++) {
        prepare_frame(f, samples + t * FBANK_SHIFT);
        /* A complex transform of real samples: kiss_fftr's last pass would round once more. */
        kiss_fft(f->fft, f->padded, f->spectrum);
        log_mel(f, out + t * FBANK_BINS);
    }
}

int fbank_read(fbank *f, float **features, size_t *frames, size_t *samples, const char *path,
               attn_error *error) {
    audio speech;
    *features = NULL;
    if (audio_read(&speech, path, error))
        return -1;
    *frames = fbank_frames(speech.count);
    if (*frames)
        *features = attn_alloc(*frames * FBANK_BINS, sizeof **features, path, error);
    else
        attn_fail(error, "%s: %zu samples, shorter than one frame of %d (25 ms)", path, speech.count,
                  FBANK_WINDOW);
    if (*features)
        fbank_compute(f, *features, speech.samples, speech.count);
    if (samples)
        *samples = speech.count;
    attn_free(speech.samples);
    return *features ? 0 : -1;
}
