#!/usr/bin/env python3
"""compare_programs.py OLD NEW [NAME...]: two builds of attnbench, every command on small input.

Prints a line for each run, with the exit statuses of its commands, so that one sees whether they worked. A run is equal
when exit status, standard output, messages and every file that it writes are equal, byte for byte after masking; it is
close when nothing differs but floats in tensors, by at most 1e-5 of 1 + |old|, as other kernels round otherwise. Masked
are paths of the two programs, the commit, and in runs that measure the measured numbers, the pictures drawn from them,
and which of them were trusted; names, counts, cache bytes and words are not. Exit status 1 when some run is not
equal. For changes that must not change what people see.
"""
import array, difflib, json, math, os, re, shutil, struct, subprocess, sys, tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SAMPLE = 'tests/data/results_sample.json'
ENC = 'tests/golden/encoder/conformer-conv2d/'
STREAM = 'tests/golden/encoder/conformer-conv2d-streaming/'
LOGITS = 'tests/golden/encoder/conformer-logits/'
COMMANDS = re.findall(r'COMMAND\(\w+, "([^"]+)"', open(TOP + '/cli/commands.inc').read())
EXACT, MEASURED, LOOSE = 'exact', 'measured', 'loose'  # loose: all digits are masked

PLAN = '''summary: a few small cases
repetitions: 2
min_time: 0.002
cases:
  - attention/mha/decode/L:50/h:2/d:16
  - attention/mla/decode/L:50/h:2/d:16/dc:8/path:absorb
  - attention/linear/chunk/L:50/h:2/d:16
  - encoder/conformer/mha/prefill/T:60/layers:1/h:2/d:16
machine:
  - machine/read/bytes:16384
'''

MODEL = '''model_type: conformer
attention_type: mha
d_model: 16
num_heads: 2
num_layers: 1
conv_kernel_size: 3
dropout: 0.1
'''
STUDY = '''summary: a model, and what becomes of it
test: [dev]
tune_epochs: 1
latency: {frames: 100, chunk: 8, left_chunks: -1, runs: 2}
models:
  - {model_type: conformer, d_model: 16, num_heads: 2, num_layers: 1, conv_kernel_size: 3, num_epochs: 1}
runs:
  - origin: scratch
  - {origin: converted, attention_type: mla, latent_dim: 8}
'''


def runs():
    yield 'no-command', EXACT, [[]]
    yield 'help', EXACT, [['help'], ['--help'], ['no-such-command']]
    for c in COMMANDS:
        yield 'help-' + c, EXACT, [[c, '--help'], [c, '--no-such-option'], [c, 'unexpected', 'words', 'here']]
    yield 'info', LOOSE, [['info'], ['info', '--format', 'json'], ['info', '--format', 'csv']]
    yield 'info-new-cpu', LOOSE, [['info', '--new-cpu']]
    yield 'counters', EXACT, [['counters', w, '--format', f] for w in ('list', 'groups') for f in ('md', 'csv', 'json')]
    yield 'counters-validate', LOOSE, [['counters', 'validate', '--format', 'json', '--counters', 'perf']]
    yield 'verify', EXACT, [['verify', '--draws', '2', '--format', 'csv']]
    yield 'paper', EXACT, [['paper', '--format', f] for f in ('md', 'csv', 'json', 'tex')] + [['paper', '--out', '{out}/p']]
    yield 'features', EXACT, [['features', '--input', '{in}/tone.wav', '--output', '{out}/x.npy']]
    for case in sorted(os.listdir(TOP + '/tests/golden/encoder')) + sorted(os.listdir(TOP + '/tests/golden/attention')):
        folder = 'encoder' if os.path.exists(TOP + '/tests/golden/encoder/' + case) else 'attention'
        base = 'tests/golden/%s/%s/' % (folder, case)
        if os.path.exists(TOP + '/' + base + 'config.yaml'):
            yield 'forward-' + case, EXACT, [['forward', '--config', base + 'config.yaml', '--weights', base + 'weights.safetensors',
                                              '--input', base + 'input.npy', '--output', '{out}/y.npy', '--cache-out', '{out}/c.safetensors']]
    yield 'forward-chunk', EXACT, [['forward', '--config', STREAM + 'config.yaml', '--weights', STREAM + 'weights.safetensors', '--input',
                                    STREAM + 'input.npy', '--output', '{out}/y.npy', '--chunk', '2', '--left-chunks', '2']]
    convert = ['convert', '--config', ENC + 'config.yaml', '--weights', ENC + 'weights.safetensors', '--out-config', '{out}/m.yaml',
               '--out-weights', '{out}/m.safetensors']
    for to in ('mla', 'mla_simple'):
        for method in ('average', 'split', 'joint', 'activation'):
            extra = ['--calibration', ENC + 'input.npy'] if method == 'activation' else []
            yield 'convert-%s-%s' % (to, method), EXACT, [convert + ['--to', to, '--latent-dim', '8', '--method', method, '--format', 'json'] + extra]
    yield 'convert-gqa', EXACT, [convert + ['--to', 'gqa', '--num-kv-heads', '1']]
    yield 'convert-budget', EXACT, [convert + ['--to', 'mla', '--budget-bytes', '40000']]
    fold = [convert + ['--to', 'mla', '--latent-dim', '8'],
            ['analyze', '--mha', ENC + 'config.yaml', '--mha-weights', ENC + 'weights.safetensors', '--mla', '{out}/m.yaml', '--runs', '0',
             '--format', 'json', '--spectrum'],
            ['analyze', '--mla', '{out}/m.yaml', '--fold', '--out-config', '{out}/f.yaml', '--out-weights', '{out}/f.safetensors']]
    yield 'analyze', EXACT, fold
    yield 'analyze-sweep', EXACT, [['analyze', '--mha', ENC + 'config.yaml', '--mha-weights', ENC + 'weights.safetensors', '--sweep', '--format',
                                    f, '--plots', '{out}/plots'] for f in ('md', 'json')]
    small = ['bench', '--case', 'attention/mha/decode/L:50/h:2/d:16', '--case', 'attention/gqa/chunk/L:50/h:4/d:16/pos:rel_pos', '--case',
             'encoder/branchformer/mla/chunk/layers:1/h:2/d:16/dc:8', '--benchmark_min_time=0.002', '--benchmark_repetitions=1']
    yield 'bench', MEASURED, [small + ['--benchmark_format=json'], ['bench', '--benchmark_list_tests=true']]
    yield 'bench-console', LOOSE, [small, small + ['--benchmark_format=csv']]
    yield 'bench-bad', EXACT, [['bench', '--case', r] for r in ('attention', 'attention/mha/decode/L:x', 'attention/mha/decode/zz:1', 'encoder/x/y/z')]
    yield 'sweep', MEASURED, [['sweep', '--plan', '{in}/plan.yaml', '--list'],
                              ['sweep', '--plan', '{in}/plan.yaml', '--counters', 'off', '--out', '{out}/r.json']]
    yield 'sweep-callgrind', MEASURED, [['sweep', '--plan', '{in}/plan.yaml', '--filter', 'mha/decode', '--counters', 'callgrind', '--out', '{out}/r.json']]
    part = ['sweep', '--plan', '{in}/plan.yaml', '--counters', 'off', '--filter', 'decode|chunk']
    yield 'merge', MEASURED, [part + ['--shard', s + '/2', '--out', '{out}/' + s + '.json'] for s in '12'] + [
        ['merge', '{out}/2.json', '{out}/1.json', '--out', '{out}/m.json'], ['merge', '{out}/2.json', '--out', '{out}/n.json']]
    yield 'machine', LOOSE, [['machine', '--filter', 'latency/bytes:16384|instruction_sets', '--format', f] for f in ('md', 'csv', 'json')]
    for plan in ('quick', 'paper', 'encoder', 'full', 'gate'):
        yield 'sweep-list-' + plan, EXACT, [['sweep', '--plan', plan, '--list']]
    profile = ['profile-kv', '--config', 'configs/attention/mla.yaml', '--seq-len', '40']
    yield 'profile-kv', MEASURED, [profile + ['--format', 'json'], profile + ['--format', 'json', '--chunk', '8', '--left-chunks', '2']]
    yield 'profile-kv-text', LOOSE, [profile + ['--format', f] for f in ('md', 'csv', 'tex')] + [
        ['profile-kv', '--config', 'configs/attention/mla.yaml', '--config', 'configs/attention/gqa.yaml', '--seq-len', '40']]
    yield 'gradients', EXACT, [['gradients', '--config', LOGITS + 'config.yaml', '--weights', LOGITS + 'weights.safetensors', '--input',
                                LOGITS + 'input.npy', '--lengths', '17,9,1', '--targets', '{in}/t.json', '--out', '{out}/g.safetensors',
                                '--format', f] for f in ('md', 'json')]
    data = ['--data', '{in}/speech']
    heard = ['evaluate', '--config', '{out}/run/model.yaml', '--weights', '{out}/run/model.safetensors', '--units', '{out}/run/units.txt',
             '--split', 'dev', '--hyp', '{out}/h.trn'] + data
    yield 'train', MEASURED, [['train', '--config', '{in}/model.yaml', '--split', 'train', '--dev-split', 'dev', '--epochs', '2', '--out',
                               '{out}/run'] + data] * 2 + [heard, heard + ['--chunk', '4', '--beam', '3', '--format', 'json']]
    study = ['study', '--plan', '{in}/study.yaml'] + data
    yield 'study', MEASURED, [study + ['--list'], study + ['--out', '{out}/study', '--jobs', '1']]
    yield 'summary', EXACT, [['summary', SAMPLE, '--format', f] for f in ('text', 'md')]
    yield 'report', EXACT, [['report', SAMPLE, '--out', '{out}/report']]
    yield 'compare', EXACT, [['compare', SAMPLE, SAMPLE, '--format', f] for f in ('md', 'csv', 'json')] + [
        ['compare', SAMPLE, SAMPLE, '--markdown', '{out}/c.md', '--junit', '{out}/c.xml', '--json', '{out}/c.json']]
    yield 'history', EXACT, [['history', 'add', '{out}/h.jsonl', '--results', SAMPLE, '--commit', 'abc'],
                             ['history', 'add', '{out}/h.jsonl', '--results', SAMPLE, '--commit', 'abd'],
                             ['history', 'show', '{out}/h.jsonl'], ['history', 'show', '{out}/h.jsonl', '--out', '{out}/h']]
    yield 'selftest', LOOSE, [['selftest', '--plan', '{in}/plan.yaml', '--filter', 'mha/decode', '--rounds', '1', '--slow', '90', '--metric',
                               'instructions', '--format', 'csv']]
    yield 'gate', LOOSE, [['gate', '--base', '{program}', '--candidate', '{program}', '--plan', '{in}/plan.yaml', '--filter', 'mha/decode', '--metric',
                           'instructions', '--format', f] for f in ('md', 'json')]


def mask_number(key, value):
    if isinstance(value, float) or re.search(r'time|_ns|iterations|faults|switch|seconds|sample|peak|date|loops|cpu_|lost|load|pid|runs', key):
        return 'N'
    return value


def mask_json(value, key=''):
    if isinstance(value, dict):
        return {k: mask_json(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [mask_json(v, key) for v in value]
    if key in ('disturbed', 'validation', 'reason') or value in ('trusted', 'scaled', 'rejected'):
        return 'N'  # what a busy machine did to counters and times
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        return mask_number(key, value)
    return 'N' if re.search(r'date|time', key) else mask_floats(mask_commit(value))


def mask_commit(text):
    return re.sub(r'\b[0-9a-f]{12}(-dirty)?\b', 'COMMIT', text)


def mask_floats(text):
    text = re.sub(r' \(\d+ disturbed\)|\b\d+ disturbed', '', re.sub(r'\d{4}-\d\d-\d\dT[0-9:]+', 'N', text))
    return re.sub(r'-?\d+\.\d+(e[-+]?\d+)?|\d+e[-+]?\d+|\b\d+ (ms|s|ns|us|min)\b', 'N', text)


def mask(data, kind, places):
    try:
        text = data.decode('utf-8')
    except UnicodeDecodeError:
        return re.sub(rb'/CreationDate \(.*?\)', b'', data)
    for place, name in places:
        text = text.replace(place, name)
    text = text.replace('harness/plans', 'harness/plan/plans')
    if kind == EXACT:
        return mask_commit(text)
    if kind == LOOSE:
        text = re.sub(r' \(\d+ disturbed\)', '', mask_commit(text))
        text = re.sub(r'\d+(\.\d+)?([eE][-+]?\d+)?( ?([unmkM]|[unm]?s|min|h)\b)?', 'N', text)
        return re.sub(r'[ -]*N[ ]*|[ \-]{2,}', ' N ', text)
    try:
        return json.dumps(mask_json(json.loads(text)), indent=1, ensure_ascii=False)
    except ValueError:
        return mask_floats(mask_commit(text))


def run(program, kind, commands):
    out = tempfile.mkdtemp()
    home = os.path.dirname(os.path.dirname(os.path.abspath(program)))
    places = [(out, 'OUT'), (os.path.abspath(program), 'PROGRAM'), (home, 'HOME')]
    words = {'in': INPUT, 'out': out, 'program': os.path.abspath(program)}
    seen = {}
    for i, command in enumerate(commands):
        filled = [w.format(**words) if '{' in w else w for w in command]
        r = subprocess.run([program] + filled, capture_output=True, cwd=TOP, stdin=subprocess.DEVNULL)
        seen['%d status' % i] = str(r.returncode)
        seen['%d stdout' % i] = mask(r.stdout, kind, places)
        seen['%d stderr' % i] = mask(r.stderr, LOOSE if kind == MEASURED else kind, places)
    for folder, _, files in os.walk(out):
        for f in files:
            path = os.path.join(folder, f)
            drawn = kind == MEASURED and f.endswith(('.png', '.pdf'))  # where lines stand is measured
            seen[path.replace(out, 'OUT')] = 'a picture' if drawn else mask(open(path, 'rb').read(), kind, places)
    shutil.rmtree(out)
    return seen


def floats_of(data):
    """The header of a .npy or .safetensors file of floats alone, and these; None for other files."""
    if data[:6] == b'\x93NUMPY':
        start = 10 + struct.unpack('<H', data[8:10])[0]
    elif len(data) > 8 and data[8:9] == b'{':
        start = 8 + struct.unpack('<Q', data[:8])[0]
    else:
        return None
    header = data[:start]
    if set(re.findall(rb"'descr': *'([^']*)'|\"dtype\": *\"([^\"]*)\"", header)) - {(b'<f4', b''), (b'', b'F32')} or (len(data) - start) % 4:
        return None
    return header, array.array('f', data[start:])


def distance(x, y):
    """The largest |new - old| / (1 + |old|) of two tensor files, NaN with a new NaN; None where they are not comparable."""
    a, b = (floats_of(v) if isinstance(v, bytes) else None for v in (x, y))
    if not a or not b or a[0] != b[0] or len(a[1]) != len(b[1]):
        return None
    off = [0 if p == q or p != p and q != q else abs(q - p) / (1 + abs(p)) for p, q in zip(a[1], b[1])]
    return math.nan if any(d != d for d in off) else max(off, default=0)


def differences(a, b):
    """Pairs: whether it is close, a line of what differs."""
    for name in sorted(set(a) | set(b)):
        if a.get(name) != b.get(name):
            x, y = a.get(name, 'not there'), b.get(name, 'not there')
            off = distance(x, y)
            if off is not None:
                yield off <= 1e-5, '  %s: floats differ by at most %.1e of 1 + |old|' % (name, off)
                continue
            yield False, '  ' + name
            if isinstance(x, str) and isinstance(y, str):
                for line in list(difflib.unified_diff(x.splitlines(), y.splitlines(), 'old', 'new', lineterm='', n=0))[2:12]:
                    yield False, '    ' + line[:200]


def main():
    global INPUT
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    old, new, only = sys.argv[1], sys.argv[2], sys.argv[3:]
    folder = tempfile.TemporaryDirectory()
    INPUT = folder.name
    make_input()
    counts = {'equal': 0, 'close': 0, 'DIFFERS': 0}
    for name, kind, commands in runs():
        if only and not any(name.startswith(o) for o in only):
            continue
        before, after = run(old, kind, commands), run(new, kind, commands)
        lines = list(differences(before, after))
        word = 'equal' if not lines else 'close' if all(close for close, _ in lines) else 'DIFFERS'
        counts[word] += 1
        ended = ' '.join(after['%d status' % i] for i in range(len(commands)))
        print('%-9s %s (%s, status %s, %d files)' % (word, name, kind, ended, len(after) - 3 * len(commands)))
        print(''.join(line + '\n' for _, line in lines), end='')
        sys.stdout.flush()
    print('%(equal)d equal, %(close)d close, %(DIFFERS)d differ' % counts)
    sys.exit(counts['close'] + counts['DIFFERS'] > 0)


def make_input():
    """What both programs read: among it a corpus of tones, laid out as LibriSpeech is, whose words nobody says."""
    for name, text in ('plan.yaml', PLAN), ('model.yaml', MODEL), ('study.yaml', STUDY), ('t.json', '[[1, 2, 2, 6], [3, 4], [5, 5]]'):
        open(os.path.join(INPUT, name), 'w').write(text)
    open(INPUT + '/tone.wav', 'wb').write(tone())
    for split, count in ('train', 6), ('dev', 2):
        at = '%s/speech/%s/1/2' % (INPUT, split)
        os.makedirs(at)
        with open(at + '/1-2.trans.txt', 'w') as text:
            for i in range(count):
                text.write('1-2-%04d %s\n' % (i, ' '.join(['ONE', 'TWO', 'SIX'][:1 + i % 3])))
                shutil.copy(INPUT + '/tone.wav', '%s/1-2-%04d.wav' % (at, i))


def tone():
    import io, wave
    to = io.BytesIO()
    w = wave.open(to, 'wb')
    w.setnchannels(1), w.setsampwidth(2), w.setframerate(16000)
    w.writeframes(b''.join(struct.pack('<h', int(9000 * math.sin(i * 0.1) * math.sin(i * 0.0007))) for i in range(16000)))
    w.close()
    return to.getvalue()


main()
