#!/bin/sh
# embed.sh FILE...: the files as a C array of names and texts, which the program carries with it.
set -eu
echo '#include "reports/page/template/mustache.h"'
echo 'extern const mustache_file page_files[];'
for file; do
    printf 'static const unsigned char file_%s[] = {\n' "$(basename "$file" | tr -c 'a-z0-9\n' _)"
    od -An -v -tu1 "$file" | sed 's/[0-9][0-9]*/&,/g'
    echo '0};'
done
echo 'const mustache_file page_files[] = {'
for file; do
    printf '{"%s", (const char *)file_%s},\n' "$(basename "$file")" "$(basename "$file" | tr -c 'a-z0-9\n' _)"
done
echo '{0, 0}};'
