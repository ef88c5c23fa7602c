{{/*
A pod of one container, as restricted as Pod Security Standards have it: a server's, or a Job's that runs a command once.
By (dict "root" . "component" NAME "arguments" LIST "environment" MAP "secrets" MAP "files" LIST): secrets by the setting that names
each as a file, and files that no setting names. For servers with "running", a row of stockwire.components.
*/}}
{{- define "stockwire.podSpec" -}}
{{- $values := .root.Values -}}
{{- $tls := and .running $values.tls.secret -}}
{{- $believes := hasKey .environment "STOCKWIRE_LEDGER_CA_FILE" -}}
{{- $collects := hasKey .environment "OTEL_EXPORTER_OTLP_CERTIFICATE" -}}
{{- $streams := hasKey .environment "STOCKWIRE_BROKER_CA_FILE" -}}
{{- $authorities := and (hasKey .secrets "STOCKWIRE_DATABASE_URL_FILE") (hasPrefix "verify-" $values.postgresql.sslMode) -}}
automountServiceAccountToken: false
# Or a Service's variables, such as STOCKWIRE_LEDGER_PORT=tcp://..., are taken for settings
enableServiceLinks: false
{{- with $values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with $values.pods.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.pods.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.pods.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- if .running }}
{{- $own := index $values .component }}
terminationGracePeriodSeconds: {{ int $own.terminationGracePeriodSeconds }}
topologySpreadConstraints:
  {{- range $topology, $unsatisfiable := dict "topology.kubernetes.io/zone" $values.pods.zoneSpread "kubernetes.io/hostname" "ScheduleAnyway" }}
  - topologyKey: {{ $topology }}
    maxSkew: 1
    whenUnsatisfiable: {{ $unsatisfiable }}
    # of this version alone: those of the one before are leaving
    matchLabelKeys: [{{ include "stockwire.rolls" (dict "root" $.root "component" $.component) | empty | ternary "pod-template-hash" "rollouts-pod-template-hash" }}]
    labelSelector:
      matchLabels:
        {{- include "stockwire.selector" $ | nindent 8 }}
  {{- end }}
{{- else }}
restartPolicy: Never
{{- end }}
containers:
  - name: {{ .component }}
    image: {{ include "stockwire.image" .root | quote }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    args: {{ .arguments | toJson }}
    env:
      {{- range $name, $value := .environment }}
      - {name: {{ $name }}, value: {{ $value | quote }}}
      {{- end }}
      {{- range $name, $secret := .secrets }}
      - {name: {{ $name }}, value: /etc/stockwire/secrets/{{ $secret }}}
      {{- end }}
      {{- if hasKey .environment "OTEL_EXPORTER_OTLP_ENDPOINT" }}
      {{- with $values.tracing.headers }}
      {{- if .name }}
      # OpenTelemetry reads it from no file
      - name: OTEL_EXPORTER_OTLP_HEADERS
        valueFrom: {secretKeyRef: {name: {{ .name }}, key: {{ .key }}}}
      {{- end }}
      {{- end }}
      {{- end }}
    {{- if .running }}
    {{- $own := index $values .component }}
    ports:
      {{- range $name, $port := .running.ports }}
      - {name: {{ $name }}, containerPort: {{ int $port }}}
      {{- end }}
    {{- $asked := dict "port" (.running.admin | empty | ternary "web" "admin") "scheme" ($tls | empty | ternary "HTTP" "HTTPS") }}
    startupProbe:
      httpGet: {path: /healthz, port: {{ $asked.port }}, scheme: {{ $asked.scheme }}}
      periodSeconds: 1
      timeoutSeconds: 3
      failureThreshold: 60
    # Whether it hangs. What it needs may be away: then it is not ready, and would be no better for a restart
    livenessProbe:
      httpGet: {path: /healthz, port: {{ $asked.port }}, scheme: {{ $asked.scheme }}}
      periodSeconds: 10
      timeoutSeconds: 3
      failureThreshold: 3
    readinessProbe:
      httpGet: {path: /readyz, port: {{ $asked.port }}, scheme: {{ $asked.scheme }}}
      periodSeconds: 2
      timeoutSeconds: 3
      failureThreshold: 2
    {{- if $own.preStopSeconds }}
    lifecycle:
      # It serves as always until nobody is sent here any more, and only then hears of its end
      preStop: {sleep: {seconds: {{ int $own.preStopSeconds }}}}
    {{- end }}
    resources:
      {{- toYaml $own.resources | nindent 6 }}
    {{- else }}
    resources:
      requests: {cpu: 100m, memory: 128Mi}
      limits: {memory: 512Mi}
    {{- end }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: {drop: [ALL]}
    volumeMounts:
      - {name: secrets, mountPath: /etc/stockwire/secrets, readOnly: true}
      {{- if $tls }}
      - {name: tls, mountPath: /etc/stockwire/tls, readOnly: true}
      {{- end }}
      {{- if $believes }}
      - {name: authorities, mountPath: /etc/stockwire/authorities, readOnly: true}
      {{- end }}
      {{- if $authorities }}
      - {name: postgresql, mountPath: /etc/stockwire/postgresql, readOnly: true}
      {{- end }}
      {{- if $collects }}
      - {name: collector, mountPath: /etc/stockwire/collector, readOnly: true}
      {{- end }}
      {{- if $streams }}
      - {name: streams, mountPath: /etc/stockwire/streams, readOnly: true}
      {{- end }}
volumes:
  - name: secrets
    projected:
      # for this user's group, nobody else
      defaultMode: 0440
      sources:
        {{- range $secret := concat (values .secrets) (.files | default list) | sortAlpha }}
        {{- with index $values.secrets $secret }}
        - secret: {name: {{ .name }}, items: [{key: {{ .key }}, path: {{ $secret }}}]}
        {{- end }}
        {{- end }}
  {{- if $tls }}
  - name: tls
    secret: {secretName: {{ $values.tls.secret }}, defaultMode: 0440}
  {{- end }}
  {{- if $believes }}
  - name: authorities
    configMap: {name: {{ $values.tls.authorities }}}
  {{- end }}
  {{- range $name, $of := dict
        "postgresql" ($authorities | ternary "postgresql" "")
        "collector" ($collects | ternary "tracing" "")
        "streams" ($streams | ternary .component "") }}
  {{- if $of }}
  {{- with (index $values $of).authorities }}
  - name: {{ $name }}
    projected:
      sources:
        - {{ .secret | empty | ternary "configMap" "secret" }}: {name: {{ .secret | default .configMap }}, items: [{key: {{ .key }}, path: ca.crt}]}
  {{- end }}
  {{- end }}
  {{- end }}
{{- end }}

{{/*
A Job that is made anew for each install and upgrade, and that may run again: what it does, it does once.
By (dict "root" . "component" NAME "arguments" LIST "files" LIST "weight" TEXT).
*/}}
{{- define "stockwire.job" -}}
apiVersion: batch/v1
kind: Job
metadata:
  {{- include "stockwire.metadata" . | nindent 2 }}
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-weight: {{ .weight | quote }}
    # kept until the next one: its log says what was done
    helm.sh/hook-delete-policy: before-hook-creation
spec:
  # a database that is away, or a table that somebody holds, comes back
  backoffLimit: 10
  podFailurePolicy:
    rules:
      # what somebody has to mend: it failed for good, wrong usage, a setting
      - action: FailJob
        onExitCodes: {operator: In, values: [1, 2, 78]}
  activeDeadlineSeconds: {{ int .root.Values.migrate.deadline }}
  template:
    metadata:
      labels:
        {{- include "stockwire.selector" . | nindent 8 }}
        {{- with .root.Values.pods.labels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with .root.Values.pods.annotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      {{- include "stockwire.podSpec" (dict "root" .root "component" .component "arguments" .arguments
            "environment" (include "stockwire.database" .root | fromYaml)
            "secrets" (dict "STOCKWIRE_DATABASE_URL_FILE" "database") "files" .files) | nindent 6 }}
{{- end }}
