# SPDX-License-Identifier: Apache-2.0
"""What the measurements share: nangod, nginx and a provider, and what processes use."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
BUILD = os.environ.get("BUILD", os.path.join(ROOT, "build"))
NANGOD = os.path.join(BUILD, "nangod")
PROVIDER = os.path.join(BUILD, "bench/bench-provider")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port):
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.01)
    sys.exit(f"nothing listens on {port}")


def rss_mb(pid, field="VmRSS"):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(field + r":\s+(\d+)", f.read())[1]) / 1024


def cpu_s(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


class World:
    """nangod, nginx and a provider, with one connection ready."""

    def __init__(self, settings=(), nginx=True):
        self.dir = tempfile.mkdtemp(prefix="nangod-bench-")
        self.children = []
        self.provider_port = free_port()
        self.nginx_port = free_port()
        self.provider = self.spawn([PROVIDER, str(self.provider_port)])
        wait_port(self.provider_port)
        self.start_nangod(settings)
        if nginx:
            self.start_nginx()

    def spawn(self, argv, **more):
        child = subprocess.Popen(argv, **more)
        self.children.append(child)
        return child

    def call(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.base + path, data, method=method, headers={
            "Authorization": "Bearer " + self.key, "Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    def start_nangod(self, settings=()):
        overlay = os.path.join(self.dir, "overlay")
        os.makedirs(overlay, exist_ok=True)
        with open(os.path.join(overlay, "bench.yaml"), "w", encoding="utf8") as f:
            f.write("bench:\n    display_name: Bench\n    auth_mode: OAUTH2\n"
                    "    authorization_url: http://127.0.0.1:9/a\n    token_url: http://127.0.0.1:9/t\n"
                    f"    proxy:\n        base_url: http://127.0.0.1:{self.provider_port}\n")
        data = os.path.join(self.dir, "data")
        began = time.monotonic()
        argv = [NANGOD, "serve", "--data", data, "--listen", "127.0.0.1:0",
                "--set", "outbound.allow_private=true", "--set", "catalog.overlay_dir=" + overlay]
        for setting in settings:
            argv += ["--set", setting]
        self.nangod = self.spawn(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.nangod.stdout.readline()
        self.base = re.search(r"http://\S+", line)[0]
        urllib.request.urlopen(self.base + "/health").read()
        self.started_ms = (time.monotonic() - began) * 1000
        self.key = subprocess.run([NANGOD, "keys", "--data", data, "--secret"], check=True,
                                  capture_output=True, text=True).stdout.strip()
        self.call("POST", "/integrations", {"provider": "bench", "unique_key": "bench", "credentials": {
            "type": "OAUTH2", "client_id": "c", "client_secret": "s"}})
        self.call("POST", "/connections", {"provider_config_key": "bench", "connection_id": "c1", "credentials": {
            "type": "OAUTH2", "access_token": "t" * 400, "refresh_token": "r" * 100,
            "expires_at": "2099-01-01T00:00:00.000Z"}, "metadata": {"k": "v" * 200}})
        self.answer = self.call("GET", "/connections/c1?provider_config_key=bench")

    def start_nginx(self):
        root = os.path.join(self.dir, "static")
        os.makedirs(root)
        with open(os.path.join(root, "connection.json"), "wb") as f:
            f.write(self.answer)
        conf = os.path.join(self.dir, "nginx.conf")
        with open(conf, "w", encoding="utf8") as f:
            f.write(f"""
{"user root; " if os.geteuid() == 0 else ""}worker_processes 2; daemon off; pid {self.dir}/nginx.pid; error_log {self.dir}/nginx.log crit;
worker_rlimit_nofile 65536;
events {{ worker_connections 15000; }}
http {{
  access_log off; sendfile on; keepalive_requests 1000000000; open_file_cache max=10;
  client_body_temp_path {self.dir}/b; proxy_temp_path {self.dir}/p; fastcgi_temp_path {self.dir}/f;
  uwsgi_temp_path {self.dir}/u; scgi_temp_path {self.dir}/s;
  upstream up {{ server 127.0.0.1:{self.provider_port}; keepalive 512; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{self.nginx_port} reuseport;
    location /static/ {{ alias {root}/; }}
    location / {{ proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection "";
                  proxy_set_header Authorization "Bearer {'t' * 400}"; client_max_body_size 0; }}
  }}
}}""")
        self.nginx = self.spawn(["nginx", "-c", conf, "-e", os.path.join(self.dir, "nginx.log")])
        wait_port(self.nginx_port)

    def nginx_pids(self):
        out = subprocess.run(["pgrep", "-P", str(self.nginx.pid)], capture_output=True, text=True).stdout
        return [int(p) for p in out.split()] or [self.nginx.pid]

    def finish(self):
        for child in reversed(self.children):
            child.send_signal(signal.SIGTERM)
        for child in self.children:
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
        shutil.rmtree(self.dir, ignore_errors=True)
