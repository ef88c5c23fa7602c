{{/* Names, labels and addresses. */}}

{{- define "stockwire.name" -}}
{{ contains "stockwire" .Release.Name | ternary .Release.Name (printf "%s-stockwire" .Release.Name) | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* By (dict "root" . "component" NAME): what selects its pods, and never changes. */}}
{{- define "stockwire.selector" -}}
app.kubernetes.io/name: stockwire
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "stockwire.metadata" -}}
name: {{ include "stockwire.name" .root }}-{{ .component }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "stockwire.selector" . | nindent 2 }}
  app.kubernetes.io/managed-by: {{ .root.Release.Service }}
  helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "stockwire.image" -}}
{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag }}{{ end }}
{{- end }}

{{/* By (dict "root" . "component" NAME): of its Service, as certificates of the pods name it. */}}
{{- define "stockwire.host" -}}
{{ include "stockwire.name" .root }}-{{ .component }}.{{ .root.Release.Namespace }}.svc
{{- end }}

{{/* By (dict "root" . "component" NAME "scheme" "http" "port" N): that Service as our own processes call it. */}}
{{- define "stockwire.url" -}}
{{ .scheme }}{{ if .root.Values.tls.secret }}s{{ end }}://{{ include "stockwire.host" . }}:{{ .port }}
{{- end }}

{{/* Of a public URL: what a route answers to. */}}
{{- define "stockwire.hostname" -}}
{{ (urlParse .).hostname }}
{{- end }}

{{/* The components that run, by name, each with its ports, and the seconds that it may take to end. */}}
{{- define "stockwire.components" -}}
ledger:
  ports: {api: 8080, admin: 8081}
  admin: [admin]
  stopSeconds: 20
hub:
  ports:
    stream: 8090
    read: 8091
    admin: 8092
    {{- range untilStep 1 (int .Values.hub.workers) 1 }}
    admin-{{ . }}: {{ add 8092 . }}
    {{- end }}
  admin: [admin{{ range untilStep 1 (int .Values.hub.workers) 1 }}, admin-{{ . }}{{ end }}]
  stopSeconds: {{ addf .Values.hub.drainSeconds 5 }}
{{- if .Values.console.enabled }}
console:
  ports: {web: 8083}
  admin: []
  stopSeconds: 4
{{- end }}
{{- if .Values.channels.enabled }}
channels:
  ports: {api: 8084, admin: 8085}
  admin: [admin]
  stopSeconds: {{ addf (.Values.channels.settings.STOCKWIRE_WEBHOOKS_TIMEOUT_S | default "15" | float64) 8 }}
{{- end }}
{{- if .Values.exporter.enabled }}
exporter:
  ports: {admin: 8086}
  admin: [admin]
  stopSeconds: 4
{{- end }}
{{- if .Values.relay.enabled }}
relay:
  ports: {admin: 8078}
  admin: [admin]
  stopSeconds: 15
{{- end }}
{{- if .Values.intake.enabled }}
intake:
  ports: {admin: 8079}
  admin: [admin]
  stopSeconds: 15
{{- end }}
{{- end }}

{{/* The API keys that somebody has to let in: by the component that shows it, its owner and scopes. */}}
{{- define "stockwire.keys" -}}
hub: {secret: hubKey, owner: hubs, scopes: [hub]}
{{- if .Values.console.enabled }}
console: {secret: consoleKey, owner: console, scopes: ["stock:read:*", feed, hub]}
{{- end }}
{{- if .Values.channels.enabled }}
channels: {secret: channelsKey, owner: channels, scopes: [hub]}
{{- end }}
{{- if .Values.exporter.enabled }}
exporter: {secret: exporterKey, owner: exporter, scopes: [feed, "stock:read:*"]}
{{- end }}
{{- if .Values.relay.enabled }}
relay: {secret: relayKey, owner: relay, scopes: [feed, "stock:read:*"]}
{{- end }}
{{- if .Values.intake.enabled }}
intake: {secret: intakeKey, owner: intake, scopes: {{ .Values.intake.scopes | toJson }}}
{{- end }}
{{- end }}
