"""The real gateway, its office and its clock, for doors that send to it."""

from tests.gateway.conftest import clock, gateway, office, start_gateway

__all__ = ["clock", "gateway", "office", "start_gateway"]
