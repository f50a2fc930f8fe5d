# SPDX-License-Identifier: GPL-2.0
"""Shared library of the end-to-end scenarios."""
