# Every target is a script that also works without make; each sets up what is missing.

.PHONY: help run test bench lint setup

help:
	@echo "make run     import, compile and run a small model"
	@echo "make test    run every test"
	@echo "make bench   momc and PyTorch on the 380M model, in turn (needs PyTorch, see examples/bench)"
	@echo "make lint    format, clippy and documentation"
	@echo "make setup   install what is missing"

run test lint setup:
	@scripts/$@.sh

bench:
	@examples/bench/compare.sh
