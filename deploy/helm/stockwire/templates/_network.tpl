{{/* Rules of NetworkPolicies. An empty list of peers would mean everybody: refusals.tpl sees to it that none is empty. */}}

{{/* By (dict "peers" LIST "ports" LIST). */}}
{{- define "stockwire.to" -}}
- to:
    {{- toYaml .peers | nindent 4 }}
  ports:
    {{- range .ports }}
    - {protocol: TCP, port: {{ int . }}}
    {{- end }}
{{- end }}

{{- define "stockwire.from" -}}
- from:
    {{- toYaml .peers | nindent 4 }}
  ports:
    {{- range .ports }}
    - {protocol: TCP, port: {{ int . }}}
    {{- end }}
{{- end }}

{{/* By (dict "root" . "component" NAME): its pods as a list of one peer. */}}
{{- define "stockwire.peers" -}}
- podSelector:
    matchLabels:
      {{- include "stockwire.selector" . | nindent 6 }}
{{- end }}

{{/* Of tracing.endpoint. */}}
{{- define "stockwire.collectorPort" -}}
{{- $found := regexFind ":[0-9]+$" (urlParse .Values.tracing.endpoint).host }}
{{- $found | trimPrefix ":" | default (hasPrefix "https://" .Values.tracing.endpoint | ternary "443" "80") }}
{{- end }}

{{/* By the URL of a message broker: the port of each host, or that which its kind has. A RabbitMQ with an exchange is asked for its
streams beside it. */}}
{{- define "stockwire.streamPorts" -}}
{{- $url := urlParse (regexReplaceAll "^([a-z]+)://([^/?,]*)[^/?]*" .url "${1}://${2}") }}
{{- $hosts := regexFind "^[a-z]+://[^/?]*" .url | replace (printf "%s://" $url.scheme) "" | splitList "," }}
{{- $exchange := contains "exchange=" $url.query }}
{{- $usual := get (dict "kafka" 9092 "kafkas" 9092 "nats" 4222 "tls" 4222 "rabbitmq" 5552 "rabbitmqs" 5551) $url.scheme }}
{{- $streams := $usual }}
{{- if or $exchange (eq .component "intake") }}
{{- $usual = get (dict "rabbitmq" 5672 "rabbitmqs" 5671) $url.scheme | default $usual }}
{{- end }}
{{- $ports := list }}
{{- range $hosts }}{{ $ports = append $ports (regexFind ":[0-9]+$" . | trimPrefix ":" | default (toString $usual)) }}{{ end }}
{{- if $exchange }}
{{- $ports = append $ports (regexFind "stream_port=[0-9]+" $url.query | trimPrefix "stream_port=" | default (toString $streams)) }}
{{- end }}
{{- $ports | uniq | toJson }}
{{- end }}

{{- define "stockwire.dns" -}}
- to:
    {{- toYaml .Values.networkPolicy.dns | nindent 4 }}
  ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
{{- end }}

{{/* Everywhere but to private networks: receivers of webhooks, marketplaces. */}}
{{- define "stockwire.outside" -}}
- ipBlock:
    cidr: 0.0.0.0/0
    except: [0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16]
- ipBlock:
    cidr: "::/0"
    except: ["::1/128", "fc00::/7", "fe80::/10"]
{{- end }}
