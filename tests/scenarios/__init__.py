# SPDX-License-Identifier: GPL-2.0
"""The end-to-end scenarios, one file per topic."""
