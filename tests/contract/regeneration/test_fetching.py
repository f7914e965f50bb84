"""A source is a file or an https address, of a bounded size; whatever fails is said in one line."""

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from pipeline import fetching
from pipeline.errors import UnreadableError
from pipeline.fetching import fetch


class Site(BaseHTTPRequestHandler):
    """Serves what the path asks for."""

    def do_GET(self) -> None:
        if self.path == "/page.md":
            self.reply(200, b"the page")
        elif self.path == "/moved":
            self.reply(302, b"", location="/page.md")
        elif self.path == "/moved-to-http":
            self.reply(302, b"", location="http://127.0.0.1:9/page.md")
        elif self.path == "/moved-to-ftp":
            self.reply(302, b"", location="ftp://127.0.0.1:9/page.md")
        elif self.path == "/moved-to-file":
            self.reply(302, b"", location="file:///etc/hostname")
        elif self.path == "/large":
            self.reply(200, b"x" * 2000)
        elif self.path == "/junk":
            self.wfile.write(b"no HTTP at all\r\n\r\n")
        else:
            self.reply(404, b"not here")

    def reply(self, status: int, content: bytes, *, location: str | None = None) -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing."""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    monkeypatch.setattr(fetching, "SIZE_MAX", 1000)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"https://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["/page.md", "/moved"])
def test_a_page_is_fetched_over_https(site: str, path: str) -> None:
    assert fetch(f"{site}{path}") == b"the page"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/nothing", "/nothing answers 404"),
        ("/large", "/large is larger than 1,000 bytes"),
        ("/moved-to-http", "http://127.0.0.1:9/page.md is no https address"),
        ("/moved-to-ftp", "ftp://127.0.0.1:9/page.md is no https address"),
        ("/moved-to-file", "redirection to url 'file:///etc/hostname' is not allowed"),
        ("/junk", "/junk cannot be reached"),
    ],
)
def test_what_cannot_be_fetched_is_said(site: str, path: str, message: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        fetch(f"{site}{path}")
    assert message.lower() in str(caught.value).lower()


def test_a_certificate_that_is_not_trusted_is_refused(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(UnreadableError, match="cannot be reached: .*certificate"):
        fetch(f"{site}/page.md")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/page.md", "https://127.0.0.1:9/x", "https://", "https://[x"]
)
def test_an_address_that_is_not_https_or_not_there_is_refused(url: str) -> None:
    with pytest.raises(UnreadableError):
        fetch(url)


def test_a_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "SIZE_MAX", 4)
    (tmp_path / "page").write_bytes(b"1234")
    assert fetch(str(tmp_path / "page")) == b"1234"
    (tmp_path / "page").write_bytes(b"12345")
    with pytest.raises(UnreadableError, match="larger than 4 bytes"):
        fetch(str(tmp_path / "page"))


@pytest.mark.parametrize("path", ["no/such/file.json", ".", "a\0b", ""])
def test_a_file_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(UnreadableError, match="cannot be read"):
        fetch(path)
