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
