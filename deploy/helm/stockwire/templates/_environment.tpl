{{/* What each process is told: its settings, and its secrets as files. Each gives a YAML map. */}}

{{/* Of every server. */}}
{{- define "stockwire.encryption" -}}
{{- if .Values.tls.secret }}
STOCKWIRE_TLS_CERT_FILE: /etc/stockwire/tls/tls.crt
STOCKWIRE_TLS_KEY_FILE: /etc/stockwire/tls/tls.key
{{- else }}
# The NetworkPolicy lets nobody in but the gateway, which encrypts, and our own processes
STOCKWIRE_BEHIND_PROXY: "1"
{{- end }}
{{- end }}

{{/* Of who asks a ledger. */}}
{{- define "stockwire.believes" -}}
{{- if .Values.tls.secret }}
STOCKWIRE_LEDGER_CA_FILE: /etc/stockwire/authorities/ca.crt
{{- end }}
{{- end }}

{{/* Of who speaks to browsers through the gateway. */}}
{{- define "stockwire.proxies" -}}
{{- with .Values.trustedProxies }}
STOCKWIRE_TRUSTED_PROXIES: {{ join "," . | quote }}
{{- end }}
{{- end }}

{{- define "stockwire.shared" -}}
{{ include "stockwire.encryption" . }}
{{ include "stockwire.proxies" . }}
{{- with .Values.public.origins }}
STOCKWIRE_ALLOWED_ORIGINS: {{ join "," . | quote }}
{{- end }}
{{- range $name, $field := dict "JWKS_URL" "keySetUrl" "ISSUER" "issuer" "AUDIENCE" "audience" }}
{{- with index $.Values.tokens $field }}
STOCKWIRE_TOKEN_{{ $name }}: {{ . | quote }}
{{- end }}
{{- end }}
{{- with .Values.settings }}
{{ toYaml . }}
{{- end }}
{{- if .Values.tracing.endpoint }}
OTEL_EXPORTER_OTLP_ENDPOINT: {{ .Values.tracing.endpoint | quote }}
{{- with .Values.tracing.authorities }}
{{- if or .secret .configMap }}
OTEL_EXPORTER_OTLP_CERTIFICATE: /etc/stockwire/collector/ca.crt
{{- end }}
{{- end }}
{{- with .Values.tracing.settings }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end }}

{{/* Where the database's URL says nothing of TLS. */}}
{{- define "stockwire.database" -}}
{{- with .Values.postgresql }}
{{- if .sslMode }}
PGSSLMODE: {{ .sslMode }}
{{- end }}
{{- if or .authorities.secret .authorities.configMap }}
PGSSLROOTCERT: /etc/stockwire/postgresql/ca.crt
{{- end }}
{{- end }}
{{- end }}

{{- define "stockwire.environment.ledger" -}}
{{ include "stockwire.shared" . }}
{{ include "stockwire.database" . }}
STOCKWIRE_LEDGER_HOST: {{ .Values.pods.listenOn | quote }}
STOCKWIRE_LEDGER_ADMIN_HOST: {{ .Values.pods.listenOn | quote }}
STOCKWIRE_LEDGER_PUBLIC_URL: {{ .Values.public.ledger | quote }}
STOCKWIRE_HUB_STREAM_URLS: {{ printf "wss://%s/v1/stream" (trimPrefix "https://" .Values.public.hubs) | quote }}
STOCKWIRE_HUB_READ_URLS: {{ .Values.public.hubs | quote }}
{{- if and .Values.channels.enabled .Values.public.channels }}
STOCKWIRE_CHANNELS_URL: {{ .Values.public.channels | quote }}
{{- end }}
{{- with .Values.ledger.settings }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "stockwire.environment.hub" -}}
{{ include "stockwire.shared" . }}
{{ include "stockwire.believes" . }}
STOCKWIRE_HUB_HOST: {{ .Values.pods.listenOn | quote }}
STOCKWIRE_HUB_ADMIN_HOST: {{ .Values.pods.listenOn | quote }}
STOCKWIRE_HUB_DRAIN_S: {{ .Values.hub.drainSeconds | quote }}
STOCKWIRE_LEDGER_URLS: {{ include "stockwire.url" (dict "root" . "component" "ledger" "scheme" "http" "port" 8080) }}
{{- with .Values.hub.settings }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "stockwire.environment.console" -}}
{{ include "stockwire.encryption" . }}
{{ include "stockwire.believes" . }}
{{ include "stockwire.proxies" . }}
STOCKWIRE_CONSOLE_HOST: {{ .Values.pods.listenOn | quote }}
STOCKWIRE_CONSOLE_ORIGINS: {{ .Values.public.console | quote }}
STOCKWIRE_CONSOLE_HUB_URLS: {{ include "stockwire.url" (dict "root" . "component" "hub" "scheme" "ws" "port" 8090) }}/v1/stream
STOCKWIRE_URL: {{ include "stockwire.url" (dict "root" . "component" "ledger" "scheme" "http" "port" 8080) }}
{{- with .Values.console.settings }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "stockwire.environment.channels" -}}
{{ include "stockwire.encryption" . }}
{{ include "stockwire.believes" . }}
{{ include "stockwire.database" . }}
STOCKWIRE_CHANNELS_HOST: {{ .Values.pods.listenOn | quote }}
STOCKWIRE_CHANNELS_ADMIN_HOST: {{ .Values.pods.listenOn | quote }}
STOCKWIRE_URL: {{ include "stockwire.url" (dict "root" . "component" "ledger" "scheme" "http" "port" 8080) }}
{{- with .Values.channels.settings }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "stockwire.environment.exporter" -}}
{{ include "stockwire.encryption" . }}
{{ include "stockwire.believes" . }}
STOCKWIRE_EXPORTER_HOST: {{ .Values.pods.listenOn | quote }}
STOCKWIRE_URL: {{ include "stockwire.url" (dict "root" . "component" "ledger" "scheme" "http" "port" 8080) }}
{{- with .Values.exporter.settings }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* By the values of relay or intake: who they are at the message broker, and whom they believe there. */}}
{{- define "stockwire.messageBroker" -}}
{{- with .user }}
STOCKWIRE_BROKER_USER: {{ . | quote }}
{{- end }}
{{- if or .authorities.secret .authorities.configMap }}
STOCKWIRE_BROKER_CA_FILE: /etc/stockwire/streams/ca.crt
{{- end }}
{{- end }}

{{- define "stockwire.environment.relay" -}}
{{ include "stockwire.encryption" . }}
{{ include "stockwire.believes" . }}
{{ include "stockwire.messageBroker" .Values.relay }}
STOCKWIRE_RELAY_HOST: {{ .Values.pods.listenOn | quote }}
STOCKWIRE_RELAY_TO: {{ .Values.relay.to | quote }}
STOCKWIRE_URL: {{ include "stockwire.url" (dict "root" . "component" "ledger" "scheme" "http" "port" 8080) }}
{{- with .Values.relay.settings }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "stockwire.environment.intake" -}}
{{ include "stockwire.encryption" . }}
{{ include "stockwire.believes" . }}
{{ include "stockwire.messageBroker" .Values.intake }}
STOCKWIRE_INTAKE_HOST: {{ .Values.pods.listenOn | quote }}
STOCKWIRE_INTAKE_FROM: {{ .Values.intake.from | quote }}
STOCKWIRE_INTAKE_EPHEMERAL: "1"
STOCKWIRE_URL: {{ include "stockwire.url" (dict "root" . "component" "ledger" "scheme" "http" "port" 8080) }}
{{- with .Values.intake.settings }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Secrets of each component, by the setting that each is. */}}
{{- define "stockwire.tokenSecrets" -}}
STOCKWIRE_REDIS_URL_FILE: broker
{{- if not .Values.tokens.keySetUrl }}
STOCKWIRE_TOKEN_SECRET_FILE: token
{{- end }}
{{- end }}

{{- define "stockwire.secrets.ledger" -}}
{{ include "stockwire.tokenSecrets" . }}
STOCKWIRE_DATABASE_URL_FILE: database
{{- if and .Values.tokens.keySetUrl .Values.secrets.signingKeys.name }}
STOCKWIRE_TOKEN_SIGNING_KEY_FILE: signingKeys
{{- end }}
{{- end }}

{{- define "stockwire.secrets.hub" -}}
{{ include "stockwire.tokenSecrets" . }}
STOCKWIRE_HUB_KEY_FILE: hubKey
{{- end }}

{{- define "stockwire.secrets.console" -}}
STOCKWIRE_CONSOLE_KEY_FILE: consoleKey
{{- end }}

{{- define "stockwire.secrets.exporter" -}}
STOCKWIRE_EXPORTER_KEY_FILE: exporterKey
{{- end }}

{{- define "stockwire.secrets.relay" -}}
STOCKWIRE_RELAY_KEY_FILE: relayKey
{{- if .Values.relay.user }}
STOCKWIRE_BROKER_PASSWORD_FILE: relayPassword
{{- end }}
{{- end }}

{{- define "stockwire.secrets.intake" -}}
STOCKWIRE_INTAKE_KEY_FILE: intakeKey
{{- if .Values.intake.user }}
STOCKWIRE_BROKER_PASSWORD_FILE: intakePassword
{{- end }}
{{- end }}

{{- define "stockwire.secrets.channels" -}}
STOCKWIRE_DATABASE_URL_FILE: database
STOCKWIRE_CHANNELS_KEY_FILE: channelsKey
STOCKWIRE_WEBHOOKS_SEALING_KEYS_FILE: sealingKeys
{{- end }}
