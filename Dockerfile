# One image for every process: docker run tuneport serve portal|api|worker, or db upgrade.
# TORCH_INDEX names the package index of the PyTorch build to use, for example that of its CPU builds; left out,
# it is the default build, with CUDA.
FROM python:3.11-slim AS build
ARG TORCH_INDEX=""
WORKDIR /src
RUN python -m venv /opt/tuneport
ENV PATH=/opt/tuneport/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY constraints.txt .
RUN pip install -c constraints.txt ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} torch
COPY pyproject.toml README.md ./
COPY portal portal
COPY services services
RUN pip install -c constraints.txt '.[s3,stripe]'

FROM python:3.11-slim
RUN useradd --create-home --uid 10001 tuneport && install -d -o tuneport /var/lib/tuneport
COPY --from=build /opt/tuneport /opt/tuneport
COPY .streamlit /app/.streamlit
ENV PATH=/opt/tuneport/bin:$PATH PYTHONUNBUFFERED=1 TUNEPORT_MODE=production TUNEPORT_HOME=/var/lib/tuneport
USER tuneport
WORKDIR /app
VOLUME /var/lib/tuneport
EXPOSE 8501 8000
ENTRYPOINT ["tuneport"]
CMD ["--help"]
