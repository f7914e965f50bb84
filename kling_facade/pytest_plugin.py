"""Fixtures for tests of apps that make videos; imports only pytest until used."""
