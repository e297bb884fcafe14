{{/* Name of the release's objects. */}}
{{- define "ivs-autopilot.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "ivs-autopilot.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "ivs-autopilot.fullname" .) -}}
{{- else -}}
{{- required "serviceAccount.name: name an account of yours, or set serviceAccount.create" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* One daemon: a group's values merged over the release's, with its name. Takes (list root group). */}}
{{- define "ivs-autopilot.daemon" -}}
{{- $root := index . 0 -}}
{{- $group := index . 1 -}}
{{- $values := mergeOverwrite (deepCopy $root.Values) (deepCopy $group) -}}
{{- /* A group's own rules file overrides the release's, however either is given. */ -}}
{{- if $group.config -}}{{- $_ := set $values "existingConfigMap" "" -}}
{{- else if $group.existingConfigMap -}}{{- $_ := set $values "config" "" -}}
{{- end -}}
{{- $name := include "ivs-autopilot.fullname" $root -}}
{{- if $group.name -}}{{- $name = printf "%s-%s" $name $group.name -}}{{- end -}}
{{- $_ := set $values "fullname" $name -}}
{{- $_ := set $values "groupName" ($group.name | default "main") -}}
{{- if not (or $values.config $values.existingConfigMap) -}}
{{- fail "config: give the rules file (--set-file config=autopilot.yaml), or existingConfigMap" -}}
{{- end -}}
{{- $_ := required "image.repository: say where your image is" $values.image.repository -}}
{{- $_ := required "redis.existingSecret: name the Secret that holds REDIS_URL" $values.redis.existingSecret -}}
{{- if ne (empty $values.redis.tls.certKey) (empty $values.redis.tls.keyKey) -}}
{{- fail "redis.tls: certKey and keyKey go together: give both, or none" -}}
{{- end -}}
{{- if and $values.redis.tls.certKey (not $values.redis.tls.existingSecret) -}}
{{- fail "redis.tls.existingSecret: name the Secret that holds certKey and keyKey" -}}
{{- end -}}
{{- $_ := required "apiToken.existingSecret: name the Secret that holds the API's token" $values.apiToken.existingSecret -}}
{{- $_ := required "aws.region: name the Region, such as us-west-2" $values.aws.region -}}
{{- toYaml $values -}}
{{- end -}}

{{- define "ivs-autopilot.selector" -}}
app.kubernetes.io/name: ivs-autopilot
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "ivs-autopilot.labels" -}}
{{ include "ivs-autopilot.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* Takes (list root daemon). */}}
{{- define "ivs-autopilot.image" -}}
{{- $root := index . 0 -}}
{{- $image := (index . 1).image -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository ($image.tag | default $root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* What the daemon and `doctor` both get. Takes a daemon. */}}
{{- define "ivs-autopilot.env" -}}
- name: REDIS_URL
  valueFrom:
    secretKeyRef: {name: {{ .redis.existingSecret }}, key: {{ .redis.key }}}
{{- with .redis.tls }}
{{- if and .existingSecret .caKey }}
- {name: REDIS_TLS_CA_FILE, value: /run/secrets/redis-tls/{{ .caKey }}}
{{- end }}
{{- if .certKey }}
- {name: REDIS_TLS_CERT_FILE, value: /run/secrets/redis-tls/{{ .certKey }}}
- {name: REDIS_TLS_KEY_FILE, value: /run/secrets/redis-tls/{{ .keyKey }}}
{{- end }}
{{- if .serverName }}
- {name: REDIS_TLS_SERVERNAME, value: {{ .serverName | quote }}}
{{- end }}
{{- end }}
- {name: AWS_REGION, value: {{ .aws.region | quote }}}
- {name: AUTOPILOT_CONFIG, value: /config/autopilot.yaml}
{{- if .accounts }}
- {name: AUTOPILOT_ACCOUNTS, value: {{ .accounts | quote }}}
{{- end }}
{{- if .aws.queueUrl }}
- {name: AUTOPILOT_QUEUE_URL, value: {{ .aws.queueUrl | quote }}}
{{- end }}
- {name: AUTOPILOT_API_TOKEN_FILE, value: /run/secrets/autopilot/{{ .apiToken.key }}}
{{- if .extraCaConfigMap }}
- {name: NODE_EXTRA_CA_CERTS, value: /etc/autopilot-ca/ca.crt}
{{- end }}
{{- with .extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "ivs-autopilot.mounts" -}}
- {name: config, mountPath: /config, readOnly: true}
- {name: api-token, mountPath: /run/secrets/autopilot, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- if .redis.tls.existingSecret }}
- {name: redis-tls, mountPath: /run/secrets/redis-tls, readOnly: true}
{{- end }}
{{- if .extraCaConfigMap }}
- {name: ca, mountPath: /etc/autopilot-ca, readOnly: true}
{{- end }}
{{- range .secretMounts }}
- {name: secret-{{ . }}, mountPath: /run/secrets/{{ . }}, readOnly: true}
{{- end }}
{{- end -}}

{{- define "ivs-autopilot.volumes" -}}
- name: config
  configMap: {name: {{ .existingConfigMap | default .fullname }}}
- name: api-token
  secret: {secretName: {{ .apiToken.existingSecret }}, defaultMode: 0440}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- if .redis.tls.existingSecret }}
- name: redis-tls
  secret: {secretName: {{ .redis.tls.existingSecret }}, defaultMode: 0440}
{{- end }}
{{- if .extraCaConfigMap }}
- name: ca
  configMap: {name: {{ .extraCaConfigMap }}}
{{- end }}
{{- range .secretMounts }}
- name: secret-{{ . }}
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- end -}}

{{- define "ivs-autopilot.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "ivs-autopilot.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}
