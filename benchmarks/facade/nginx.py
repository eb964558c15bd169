"""One nginx: the upstream of everybody, a pass-through and a cache in front of it."""

import getpass
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.facade.others import BODY

CONFIG = """
user {user};
worker_processes 1;
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  keepalive_requests 100000000;
  proxy_cache_path {folder}/cache keys_zone=kept:16m max_size=256m;
  upstream origin {{ server 127.0.0.1:{origin}; keepalive 128; }}
  server {{
    listen 127.0.0.1:{origin};
    default_type application/json;
    add_header Cache-Control "max-age=600";
    location / {{ return 200 '{body}'; }}
  }}
  server {{
    listen 127.0.0.1:{passing};
    location / {{
      proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
    }}
  }}
  server {{
    listen 127.0.0.1:{caching};
    location / {{
      proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_cache kept; proxy_cache_valid 200 600s; proxy_cache_lock on;
    }}
  }}
}}
"""


@contextmanager
def nginx(folder: Path, origin: int, passing: int, caching: int) -> Iterator[None]:
    """Runs while the block does; raises FileNotFoundError without an nginx."""
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    config = folder / "nginx.conf"
    config.write_text(
        CONFIG.format(
            folder=folder,
            user=getpass.getuser(),
            origin=origin,
            passing=passing,
            caching=caching,
            body=BODY.decode(),
        )
    )
    process = subprocess.Popen(
        [binary, "-p", str(folder), "-c", str(config)],
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(0.5)
        assert process.poll() is None, (folder / "error.log").read_text()
        yield
    finally:
        process.terminate()
        process.wait(10)
