# `make install`: the program, its data, the library with its headers, man pages and completion.
#
#   PREFIX=dir    where it is to live (default /usr/local)
#   DESTDIR=dir   put in front of it, for packages
#   BUILT=1       what is in BUILD is installed as it is, and nothing is built

PREFIX ?= /usr/local
DESTDIR ?=
INSTALL ?= install
LIBDIR ?= $(PREFIX)/lib
SHARE := $(PREFIX)/share/attnbench
PAGES := $(BUILD)/man
PROGRAM := $(if $(BUILT),,$(BUILD)/attnbench)
LIBRARY := $(if $(BUILT),,$(BUILD)/libattn.a)

# What the program reads when it runs, and what people start from.
DATA := $(wildcard harness/plan/plans/*.yaml harness/study/plans/*.yaml harness/counters/groups/*.yaml reports/paper/*.json bench/cases.txt) \
        $(shell find configs -name '*.yaml')

$(BUILD)/attn.pc: install.mk Makefile
	@mkdir -p $(@D)
	@printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$(patsubst $(PREFIX)/%,$${prefix}/%,$(LIBDIR))' 'includedir=$${prefix}/include' '' 'Name: attn' \
	  'Description: attention mechanisms and encoders of speech recognisers, in C' 'Version: $(VERSION)' \
	  'Requires.private: openblas jansson yaml-0.1' 'Libs: -L$${libdir} -lattn' \
	  'Libs.private: -l:liblapacke.a -lm -pthread' 'Cflags: -I$${includedir}' >$@

# From what the program prints of itself; needs help2man.
.PHONY: man completion install
man: $(PROGRAM)
	cli/shell/man_pages.sh $(BUILD)/attnbench $(VERSION) $(PAGES)

completion: $(PROGRAM)
	cli/shell/completion.sh bash $(BUILD)/attnbench >$(BUILD)/attnbench.bash
	cli/shell/completion.sh zsh $(BUILD)/attnbench >$(BUILD)/_attnbench

# Man pages are left out where help2man is missing.
HELP2MAN := $(shell command -v help2man)

install: $(PROGRAM) $(LIBRARY) $(BUILD)/attn.pc completion $(if $(HELP2MAN),man)
	@$(if $(HELP2MAN),,echo "note: help2man is not installed, so there are no man pages")
	$(INSTALL) -D -m 755 $(BUILD)/attnbench $(DESTDIR)$(PREFIX)/bin/attnbench
	for f in $(DATA); do $(INSTALL) -D -m 644 $$f $(DESTDIR)$(SHARE)/$$f || exit 1; done
	$(INSTALL) -D -m 755 harness/conversion/convert_checkpoint.py $(DESTDIR)$(SHARE)/harness/conversion/convert_checkpoint.py
	$(INSTALL) -D -m 755 harness/slurm/attnbench.sbatch $(DESTDIR)$(SHARE)/harness/slurm/attnbench.sbatch
	$(INSTALL) -m 755 harness/conversion/export_checkpoint.py $(DESTDIR)$(SHARE)/harness/conversion/export_checkpoint.py
	for f in harness/conversion/checkpoint_*.py harness/conversion/latent_attention.py; do $(INSTALL) -m 644 $$f $(DESTDIR)$(SHARE)/$$f || exit 1; done
	for f in bench/peers/*.py; do $(INSTALL) -D -m 644 $$f $(DESTDIR)$(SHARE)/$$f || exit 1; done
	$(INSTALL) -D -m 755 datasets/make_corpus.sh $(DESTDIR)$(SHARE)/datasets/make_corpus.sh
	$(INSTALL) -m 755 datasets/make_training_corpus.sh $(DESTDIR)$(SHARE)/datasets/make_training_corpus.sh
	$(INSTALL) -D -m 644 $(BUILD)/libattn.a $(DESTDIR)$(LIBDIR)/libattn.a
	$(INSTALL) -D -m 644 $(BUILD)/attn.pc $(DESTDIR)$(LIBDIR)/pkgconfig/attn.pc
	$(INSTALL) -d $(DESTDIR)$(PREFIX)/include/attn $(DESTDIR)$(PREFIX)/share/man/man1
	$(INSTALL) -m 644 base/include/attn/*.h impl/include/attn/*.h $(DESTDIR)$(PREFIX)/include/attn
	$(if $(HELP2MAN),$(INSTALL) -m 644 $(PAGES)/*.1 $(DESTDIR)$(PREFIX)/share/man/man1)
	$(INSTALL) -D -m 644 $(BUILD)/attnbench.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/attnbench
	$(INSTALL) -D -m 644 $(BUILD)/_attnbench $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_attnbench
