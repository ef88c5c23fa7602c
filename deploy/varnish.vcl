vcl 4.1;

# Varnish (7.1 or later) before the read ports of two hubs: keeps what anybody may read, and passes the rest on.
# docs/how-to/edge-cache.md says what it promises, and how it is started.

import directors;
import std;

probe answers {
    .url = "/";
    .interval = 1s;
    .timeout = 1s;
    # Three of the last eight: a hub that stands still for a moment stays.
    .window = 8;
    .threshold = 3;
    .initial = 3;
}

backend hub_1 { .host = "hub-1"; .port = "8091"; .probe = answers; .connect_timeout = 1s; .first_byte_timeout = 5s; .between_bytes_timeout = 90s; .max_connections = 500; }
backend hub_2 { .host = "hub-2"; .port = "8091"; .probe = answers; .connect_timeout = 1s; .first_byte_timeout = 5s; .between_bytes_timeout = 90s; .max_connections = 500; }

# Whose X-Forwarded-For is believed: proxies of yours before this one. Nobody, unless named.
acl before { "255.255.255.255"; }

# Who may send PURGE, for one address: nothing has to be purged, since all is old within seconds.
acl purgers { "127.0.0.1"; "::1"; }

sub vcl_init {
    new hubs = directors.round_robin();
    hubs.add_backend(hub_1);
    hubs.add_backend(hub_2);
}

sub vcl_recv {
    set req.backend_hint = hubs.backend();
    if (req.restarts == 0) {
        # Varnish has added the client's address to what the client said. A purge comes through no proxy.
        if (req.method == "PURGE") {
            if (client.ip !~ purgers || req.http.X-Forwarded-For ~ ",") {
                return (synth(405));
            }
            return (purge);
        }
        if (client.ip !~ before) {
            set req.http.X-Forwarded-For = client.ip;
        }
    }
    unset req.http.Kept;
    # A stream is written to for as long as it is open, and Varnish would end it after send_timeout.
    if (req.url ~ "^/v1/levels/stream") {
        set sess.send_timeout = 1d;
    }
    if ((req.method != "GET" && req.method != "HEAD") || req.http.Authorization) {
        return (pass);
    }
    # Each of what anybody may read has one address, as the clients write it. Other ways to say the same are passed on, where a
    # hub counts them by the client's address, and cannot fill this cache. How long an answer may be given while a newer one is
    # fetched (stale-while-revalidate) differs by kind; while no hub answers it is the whole grace (stale-if-error).
    if (req.url ~ "^/v1/availability/[^/?]+/[^/?]+(\?version=(0|[1-9][0-9]{0,15}))?$" ||
            req.url ~ "^/v1/availability\?location=[^&]+((&sku=[^&]+)+|(&after=[^&]*)?(&limit=[1-9][0-9]{0,3})?)$") {
        set req.grace = 5s;
    } elseif (req.url == "/v1/discovery") {
        set req.grace = 60s;
    } elseif (req.url ~ "^/v1/badge\.js(\?v=[0-9A-Za-z.-]{1,64})?$") {
        set req.grace = 1d;
    } else {
        return (pass);
    }
    if (req.restarts > 0 || !std.healthy(req.backend_hint)) {
        set req.grace = 1d;
    }
    set req.http.Kept = "yes";
    return (hash);
}

# No Host, no cookie: no answer depends on them, so nobody can make another copy with them.
sub vcl_hash {
    hash_data(req.url);
    return (lookup);
}

sub vcl_backend_fetch {
    if (bereq.http.Kept) {
        unset bereq.http.Kept;
        unset bereq.http.Cookie;
        # The name that hubs know is asked for, whichever a client made up.
        set bereq.http.Host = "hub-1";
    }
}

sub vcl_backend_response {
    if (bereq.uncacheable) {
        return (deliver);
    }
    # No answer: whatever is kept stays, and is given. An object of this one, however short its life, would stand before it.
    if (beresp.status >= 500 || beresp.status == 429) {
        return (abandon);
    }
    if (beresp.http.Cache-Control !~ "public" || beresp.status >= 400) {
        set beresp.uncacheable = true;
        set beresp.ttl = 1s;
        set beresp.grace = 0s;
        return (deliver);
    }
    set beresp.grace = std.duration(regsub(beresp.http.Cache-Control, "^.*stale-if-error=([0-9]+).*$", "\1s"), 0s);
    return (deliver);
}

# A read may be asked of the other hub as well.
sub vcl_backend_error {
    if (bereq.retries == 0 && (bereq.method == "GET" || bereq.method == "HEAD")) {
        return (retry);
    }
    if (!bereq.uncacheable) {
        return (abandon);
    }
}

# Nothing came: once more, for what is old and was kept. If nothing was, the hub's own words.
sub vcl_synth {
    if (resp.status == 503 && req.restarts == 0 && req.http.Kept) {
        return (restart);
    }
}

sub vcl_miss {
    if (req.restarts > 0) {
        return (pass);
    }
}

sub vcl_deliver {
    # max-age=1 and stale-while-revalidate=5 are over: nobody knows whether it is still so.
    if (obj.ttl < -5s && req.url ~ "^/v1/availability") {
        set resp.http.Stockwire-Fresh = "false";
    }
    unset resp.http.Via;
    unset resp.http.X-Varnish;
}
