"""Imported where a journey's processes are copied from: what a router loads when it first reads is loaded there, once for all of them."""

import gc

from router.opening import prepare

prepare()
gc.collect()
gc.freeze()  # what is never collected is never written to, and so is shared
